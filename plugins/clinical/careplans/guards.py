"""What must hold before states of episodes, care plans and service requests change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from fyr.core import (
    FyrError,
    Issue,
    Resource,
    Schedule,
    Transition,
    broken_rule,
    refuses,
    workflow,
)
from fyr.core.workflow.timing import first_of
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.episodes import ENDED, has_consent
from fyr.plugins.clinical.tags import foreign, system_tags
from fyr.plugins.clinical.tasks.plans import definition_of

Problems = Iterator[FyrError | Issue]

#: The longest pause that can be planned ahead.
LONGEST_PAUSE = timedelta(days=30)
#: Who is on an episode of care, and who is to come and go.
_TEAMS = Schedule(team=ext.TEAM_SCHEDULE, teams="team")
#: Topic of the plans that citizens apply, and end, themselves.
SELF_TREATMENT = "self-treatment"
#: What is to be done, now or once it goes on.
_IN_FORCE = frozenset({"draft", "active", "on-hold"})
#: Where ServiceRequests that a trigger would start wait.
_WAITING = "on-hold"
#: Changes of triggerEnablementCode that a client may make; proposed.
_SWITCHES = frozenset(
    {
        ("TRIGGER_ENABLED", "TRIGGER_DISABLED"),
        ("TRIGGER_DISABLED", "TRIGGER_ENABLED"),
    }
)
#: What only the server makes, once the trigger has started the request.
_DONE = ("TRIGGER_ENABLED", "TRIGGER_DONE")
_EPISODES = "clinical.episodes"
#: The session, and the episodes of care that are held in it.
_HELD = "clinical.episodes.held"


@refuses("EPISODEOFCARE_PATCH_NO_CONSENT")
def patient_consents(transition: Transition) -> Problems:
    """Ask for a consent to take part that holds now."""
    episode = transition.resource
    given = (transition.acting, episode, transition.reference, transition.together)
    if not has_consent(*given):
        code = CODES["EPISODEOFCARE_PATCH_NO_CONSENT"]
        yield code.error(expression=["EpisodeOfCare.status"])


@refuses("STATUS_SCHEDULE_PAUSE_MAX_30_DAYS")
def pauses_are_short(transition: Transition) -> Problems:
    """Refuse a pause that is planned for more than 30 days, if this write plans it."""
    plan = planned(transition.new, ext.EPISODE_STATUS_SCHEDULE)
    if plan == planned(transition.old, ext.EPISODE_STATUS_SCHEDULE):
        return
    for (begin, status, path), (end, _, _) in pairwise(_changes(plan)):
        if status == "onhold" and end - begin > LONGEST_PAUSE:
            yield CODES["STATUS_SCHEDULE_PAUSE_MAX_30_DAYS"].error(expression=[path])


@refuses("GENERAL_VALIDATION_ERROR")
def a_team_stays(transition: Transition) -> Problems:
    """Refuse to take the last care team off, now or as planned: who else would look?"""
    new, old = transition.new or {}, transition.old or {}
    before, teams = _teams(old), _teams(new)
    if before and not teams:
        text = "an episode of care keeps a care team: add one before the last one goes"
        yield broken_rule(text, "EpisodeOfCare.team")
    plan = workflow.planned(new, _TEAMS)
    same = plan == workflow.planned(old, _TEAMS) and before == teams
    if transition.by_itself or same:
        return
    for one in plan:
        if one.adds:
            teams = teams | {one.team}
        elif teams == {one.team}:
            text = "the last care team would go: plan who takes over before"
            yield broken_rule(text, one.path)
        else:
            teams = teams - {one.team}


@refuses("DEFINITION_WITHOUT_SELF_TREATMENT_TOPIC")
def citizens_end_their_own(transition: Transition) -> Problems:
    """Refuse a citizen to end, now or as planned, an episode with plans of others.

    The care plans end with it, and only those for self-treatment are a citizen's to end.
    """
    new, old = transition.new, transition.old
    if transition.user_type != "PATIENT" or new is None or old is None:
        return
    before = [one[:2] for one in planned(old, ext.EPISODE_STATUS_SCHEDULE)]
    after = [one[:2] for one in planned(new, ext.EPISODE_STATUS_SCHEDULE)]
    coming = {status for at, status in after if (at, status) not in before}
    if transition.moved and transition.end is not None:
        coming.add(transition.end)
    if coming.isdisjoint(ENDED):
        return
    acting = transition.acting
    for plan in acting.find("CarePlan", ("episodeOfCare", transition.reference)):
        if plan.get("status") in _IN_FORCE:
            definition = definition_of(acting, plan, "PlanDefinition")
            if SELF_TREATMENT not in _topics(definition or {}):
                code = CODES["DEFINITION_WITHOUT_SELF_TREATMENT_TOPIC"]
                named = f"The definition of CarePlan/{plan['id']}"
                if definition is not None:
                    named = f"PlanDefinition/{definition['id']}"
                yield code.error(named, expression=["EpisodeOfCare.status"])


@refuses("GENERAL_VALIDATION_ERROR")
def episode_goes_on(transition: Transition) -> Problems:
    """Refuse what is to be done in an episode of care that is over.

    What a system creates comes from somewhere. What is still in force there from before
    may be edited, and ended.
    """
    new, old = transition.new, transition.old
    if new is None or transition.end not in _IN_FORCE:
        return
    if old is None and transition.user_type == "SYSTEM":
        return
    reference = ext.reference_of(new, ext.EPISODE_OF_CARE) or ""
    if not transition.moved and reference not in transition.together:
        return
    _hold_episode(transition, reference)
    status = (episode_of(transition) or {}).get("status")
    if status in ENDED:
        text = f"{reference} is {status}: nothing is {transition.end} in it any more"
        yield broken_rule(text, f"{new['resourceType']}.status")


@refuses("STATUS_SCHEDULE_IDENTICAL_TIME")
def one_at_a_time(transition: Transition) -> Problems:
    """Refuse two changes of status that are planned for one moment."""
    for url in (
        ext.EPISODE_STATUS_SCHEDULE,
        ext.CARE_PLAN_STATUS_SCHEDULE,
        ext.SERVICE_REQUEST_STATUS_SCHEDULE,
    ):
        moments: set[datetime] = set()
        for at, _, path in planned(transition.new, url):
            if at in moments:
                code = CODES["STATUS_SCHEDULE_IDENTICAL_TIME"]
                yield code.error(expression=[path])
            moments.add(at)


@refuses("SYSTEM_TAG_UNEXPECTED_TAG")
def tags_are_those_of_the_episode(transition: Transition) -> Problems:
    """Refuse system tags that the episode of care does not have."""
    new, old = transition.new or {}, transition.old or {}
    tags = system_tags(new)
    if not tags or tags == system_tags(old):
        return
    episode = episode_of(transition)
    if episode is not None and foreign(new, episode):
        path = f"{new['resourceType']}.meta.tag"
        yield CODES["SYSTEM_TAG_UNEXPECTED_TAG"].error(expression=[path])


@refuses("GENERAL_RESOURCE_NOT_FOUND")
def activities_are_named(transition: Transition) -> Problems:
    """Refuse activities by a name in a Bundle that nothing there has."""
    for number, one in enumerate((transition.new or {}).get("activity", ())):
        reference = one.get("reference", {}).get("reference", "")
        if reference.startswith("urn:"):
            yield CODES["GENERAL_RESOURCE_NOT_FOUND"].issue(
                "ServiceRequest",
                reference[:200],
                expression=[f"CarePlan.activity[{number}].reference"],
            )


@refuses("GENERAL_VALIDATION_ERROR")
def what_was_planned_stays(transition: Transition) -> Problems:
    """Refuse to take activities, or its plan above, out of a plan that was begun."""
    new, old = transition.new, transition.old
    if new is None or old is None or transition.start == "draft":
        return
    if gone := _activities(old) - _activities(new):
        text = f"what was asked for stays in the plan: {', '.join(sorted(gone))}"
        yield broken_rule(text, "CarePlan.activity")
    if old.get("partOf") and old["partOf"] != new.get("partOf"):
        text = "a plan stays a part of the one that it is in"
        yield broken_rule(text, "CarePlan.partOf")


@refuses("GENERAL_TRIGGER_ENABLEMENT_VALIDATION_ERROR")
def trigger_may_be_switched(transition: Transition) -> Problems:
    """Refuse changes of triggerEnablementCode that make no sense."""
    new, old = transition.new, transition.old
    if new is None or old is None:
        return
    change = trigger_of(old), trigger_of(new)
    if change[0] == change[1]:
        return
    by_itself = transition.user_type == "SYSTEM"
    if change not in _SWITCHES and not (change == _DONE and by_itself):
        why = "that is no step of a trigger"
    elif change[1] == "TRIGGER_ENABLED" and transition.end != _WAITING:
        why = "only what is on hold waits for its trigger"
    else:
        return
    code = CODES["GENERAL_TRIGGER_ENABLEMENT_VALIDATION_ERROR"]
    yield code.error(*change, why, expression=["ServiceRequest.extension"])


def trigger_of(request: Mapping[str, Any]) -> str:
    """Tell the triggerEnablementCode of a ServiceRequest."""
    return str(ext.value_of(request, ext.TRIGGER_ENABLEMENT_CODE) or "NO_TRIGGER")


def _hold_episode(transition: Transition, reference: str) -> None:
    """Keep an episode of care from being ended until this is stored, once for a call.

    Its end would not find what is stored meanwhile, and would not end it.
    """
    if not reference.startswith("EpisodeOfCare/") or reference in transition.together:
        return
    context = transition.context
    state = (context.parent or context).state
    # A call that is repeated begins anew, in another session.
    session, held = state.get(_HELD, (None, set()))
    if session is not transition.session:
        held = set()
        state[_HELD] = (transition.session, held)
    if reference not in held:
        held.add(reference)
        found = transition.acting.hold(reference)[0]
        state.setdefault(_EPISODES, {})[reference] = found


def episode_of(transition: Transition) -> Resource | None:
    """Read the episode of care that a resource belongs to, once for a whole call."""
    reference = ext.reference_of(transition.resource, ext.EPISODE_OF_CARE)
    if not reference:
        return None
    context = transition.context
    known = (context.parent or context).state.setdefault(_EPISODES, {})
    if reference not in known:
        known[reference] = transition.read(reference)
    found: Resource | None = known[reference]
    return found


def planned(
    resource: Mapping[str, Any] | None, url: str
) -> list[tuple[datetime, str, str]]:
    """Tell what a schedule plans: moments, states and paths, the first first."""
    found = []
    for number, entry in enumerate((resource or {}).get("extension", ())):
        at = first_of(ext.value_of(entry, "scheduledTime"))
        if entry.get("url") == url and at is not None:
            path = f"{(resource or {})['resourceType']}.extension[{number}]"
            found.append((at, str(ext.value_of(entry, "status")), path))
    return sorted(found)


def _changes(
    plan: list[tuple[datetime, str, str]],
) -> Iterator[tuple[datetime, str, str]]:
    """Leave out what plans the state that is there already."""
    last = ""
    for one in plan:
        if one[1] != last:
            yield one
        last = one[1]


def _topics(definition: Mapping[str, Any]) -> set[str]:
    return {
        str(coding.get("code"))
        for topic in definition.get("topic", ())
        for coding in topic.get("coding", ())
    }


def _teams(episode: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(
        one["reference"] for one in episode.get("team", ()) if "reference" in one
    )


def _activities(plan: Mapping[str, Any]) -> set[str]:
    listed = (one.get("reference", {}) for one in plan.get("activity", ()))
    return {one["reference"] for one in listed if "reference" in one}
