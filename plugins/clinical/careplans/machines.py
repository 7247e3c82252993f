"""The states of episodes of care, care plans and service requests, as tables.

The guide says what guards them and what is kept of them, and not which step may follow
which: rows whose sentence ends with "Proposed." are what a clinician would expect.
"""

from __future__ import annotations

from fyr.core import History, Machine, Schedule, Step
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.careplans import effects, guards
from fyr.plugins.clinical.occurrences import occurrence_is_valid, occurrences_are_valid
from fyr.plugins.clinical.plans.canonicals import leads_where_it_may

_REQUESTS = "http://hl7.org/fhir/request-status"
#: Who is in charge of the care of others, and Fyr.
_STAFF = frozenset({"PRACTITIONER", "SYSTEM"})
_MISTAKE = "It was a mistake. Proposed."
_CONSENT = (guards.patient_consents,)
#: What comes of an end.
_OVER = (effects.forget_what_was_planned,)
_ALL_OVER = (effects.forget_what_was_planned, effects.end_what_was_asked_for)

EPISODE_OF_CARE = Machine(
    "episode-of-care",
    "EpisodeOfCare",
    (
        Step(None, "planned", what="It begins, by `$create-episode-of-care`."),
        Step("planned", "waitlist", what="It has to wait. Proposed."),
        Step("waitlist", "planned", what="It need not wait any more. Proposed."),
        Step(
            "planned",
            "active",
            when=_CONSENT,
            what="Care begins, with a consent to take part.",
        ),
        Step(
            "waitlist",
            "active",
            when=_CONSENT,
            what="Care begins, with a consent to take part.",
        ),
        Step(
            "planned",
            "cancelled",
            then=_ALL_OVER,
            what="Nothing comes of it. Proposed.",
        ),
        Step(
            "waitlist",
            "cancelled",
            then=_ALL_OVER,
            what="Nothing comes of it. Proposed.",
        ),
        Step("active", "onhold", what="A pause begins."),
        Step(
            "onhold",
            "active",
            when=_CONSENT,
            what="The pause is over, and the consent still holds.",
        ),
        Step("active", "finished", then=_ALL_OVER, what="Care has come to its end."),
        Step(
            "onhold",
            "finished",
            then=_ALL_OVER,
            what="Care has come to its end. Proposed.",
        ),
        Step(
            "active", "cancelled", then=_ALL_OVER, what="Care is broken off. Proposed."
        ),
        Step(
            "onhold", "cancelled", then=_ALL_OVER, what="Care is broken off. Proposed."
        ),
        Step(
            "finished",
            "active",
            by=_STAFF,
            when=_CONSENT,
            by_hand=True,
            what="Care goes on after all, with a consent to take part.",
        ),
        *(
            Step(state, "entered-in-error", by=_STAFF, then=_ALL_OVER, what=_MISTAKE)
            for state in "planned waitlist active onhold finished cancelled".split()
        ),
    ),
    history=History(status="statusHistory", team=ext.TEAM_HISTORY, teams="team"),
    schedule=Schedule(
        status=ext.EPISODE_STATUS_SCHEDULE, team=ext.TEAM_SCHEDULE, teams="team"
    ),
    when=(
        guards.one_at_a_time,
        guards.pauses_are_short,
        guards.a_team_stays,
        guards.citizens_end_their_own,
    ),
    then=(effects.plan_the_return,),
    what=(
        "The course of a citizen's telemedical care. A pause that is planned ahead is at"
        " most 30 days long, and ends after 7 days unless something else is planned. Care"
        " plans end with it. The last care team stays on it. A consent that is withdrawn"
        " or runs out, or one that denies, pauses it."
    ),
)

_ENDINGS = (
    Step("draft", "revoked", then=_OVER, what="Nothing comes of it. Proposed."),
    Step("active", "on-hold", what="A pause begins. Proposed."),
    Step("active", "completed", then=_OVER, what="It has come to its end."),
    Step("on-hold", "completed", then=_OVER, what="It has come to its end. Proposed."),
    Step("active", "revoked", then=_OVER, what="It is broken off."),
    Step("on-hold", "revoked", then=_OVER, what="It is broken off."),
    *(
        Step(state, "entered-in-error", by=_STAFF, then=_OVER, what=_MISTAKE)
        for state in "draft active on-hold completed revoked".split()
    ),
)

CARE_PLAN = Machine(
    "care-plan",
    "CarePlan",
    (
        Step(None, "draft", what="It is made, by `$apply` or in a transaction."),
        Step("draft", "active", what="What it asks for may begin; it says when."),
        Step("on-hold", "active", what="The pause is over. Proposed."),
        *_ENDINGS,
    ),
    history=History(
        status=ext.CARE_PLAN_STATUS_HISTORY, system=_REQUESTS, team=ext.TEAM_HISTORY
    ),
    schedule=Schedule(status=ext.CARE_PLAN_STATUS_SCHEDULE, team=ext.TEAM_SCHEDULE),
    when=(
        occurrences_are_valid,
        guards.one_at_a_time,
        guards.tags_are_those_of_the_episode,
        guards.episode_goes_on,
        guards.what_was_planned_stays,
        guards.activities_are_named,
        leads_where_it_may,
    ),
    then=(effects.take_tags,),
    what=(
        "What is planned for a citizen. What was asked for in it stays in it once it has"
        " begun; its parts end by themselves."
    ),
)

SERVICE_REQUEST = Machine(
    "service-request",
    "ServiceRequest",
    (
        Step(None, "draft", what="It is asked for, and not yet to be done."),
        Step(None, "on-hold", what="It waits for its trigger."),
        Step("draft", "active", what="It is to be done; it says when."),
        Step("draft", "on-hold", what="It waits. Proposed."),
        Step(
            "on-hold",
            "active",
            then=(effects.leave_the_trigger,),
            what="By hand, as planned, or by its trigger. By hand switches that off.",
        ),
        *_ENDINGS,
    ),
    history=History(status=ext.SERVICE_REQUEST_STATUS_HISTORY, system=_REQUESTS),
    schedule=Schedule(status=ext.SERVICE_REQUEST_STATUS_SCHEDULE),
    when=(
        occurrence_is_valid,
        guards.one_at_a_time,
        guards.tags_are_those_of_the_episode,
        guards.episode_goes_on,
        guards.trigger_may_be_switched,
        leads_where_it_may,
    ),
    then=(effects.take_tags,),
    what="An activity of a care plan: what is to be done, when and how often.",
)

MACHINES = (EPISODE_OF_CARE, CARE_PLAN, SERVICE_REQUEST)
