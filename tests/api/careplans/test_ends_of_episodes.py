"""What becomes of plans when an episode of care ends, and of care without a consent."""

import base64
import json

import pytest

from fyr.core.context import Principal

from ..guide import EHEALTH, EPISODE, PATCH, to
from .states import after, history, of, patch, planned, put, to_status, work


def course(clinic, nurse, team, *definitions):
    """Begin an episode of care, with a plan of activities that are under way."""
    episode = clinic.episode(team, status="active")
    clinic.consent(episode)
    top = clinic.plan(*(definitions or (clinic.activity(), clinic.activity())))
    plan = f"CarePlan/{clinic.apply(top, episode).json['id']}"
    requests = [one["reference"]["reference"] for one in activities(clinic, plan)]
    for one in (*requests, plan):
        assert put(clinic, nurse, one, status="active").status == 200
    return episode, plan, requests


def activities(clinic, plan):
    return clinic.read(plan)["activity"]


def statuses(clinic, *references):
    return [clinic.read(one)["status"] for one in references]


@pytest.mark.parametrize(
    ("end", "begun"), [("finished", "completed"), ("cancelled", "revoked")]
)
def test_care_plans_end_with_their_episode(clinic, nurse, team, end, begun) -> None:
    episode, plan, (first, second) = course(clinic, nurse, team)
    draft = (
        f"CarePlan/{clinic.apply(clinic.plan(clinic.activity()), episode).json['id']}"
    )
    (of_draft,) = (one["reference"]["reference"] for one in activities(clinic, draft))
    soon = planned("ServiceRequest", "completed", after(clinic, days=1))
    extension = [*clinic.read(second)["extension"], soon]
    put(clinic, nurse, second, status="on-hold", extension=extension)
    clinic.told()

    assert patch(nurse, episode, to_status(end)).status == 200

    assert statuses(clinic, plan, first, second) == [begun] * 3
    assert statuses(clinic, draft, of_draft) == ["revoked"] * 2
    assert history(clinic.read(plan))[-2:] == [("active", True), (begun, False)]
    assert of(clinic.read(second), "statusSchedule") == []
    told = clinic.told()
    assert told.count(("ehealth-careplan.status", "updated")) == 2
    assert told.count(("ehealth-procedurerequest", "updated")) == 3


def test_what_waits_for_its_trigger_or_never_said_when_is_revoked(
    clinic, nurse, team
) -> None:
    episode, plan, (waiting, unclear) = course(clinic, nurse, team)
    enabled = {
        "url": f"{EHEALTH}trigger-enablement-code",
        "valueCode": "TRIGGER_ENABLED",
    }
    waits, says_nothing = (clinic.read(one) for one in (waiting, unclear))
    kept = [one for one in waits["extension"] if "trigger" not in one["url"]]
    waits.update(status="on-hold", extension=[*kept, enabled])
    del says_nothing["occurrenceTiming"]
    made = [clinic.put({**one, "id": clinic.number()}) for one in (waits, says_nothing)]
    listed = [{"reference": to(one)} for one in made]
    # As another system has stored it.
    loaded = {**clinic.read(plan), "activity": listed, "id": clinic.number()}
    other = clinic.put(loaded)

    assert patch(nurse, episode, to_status("finished")).status == 200

    assert statuses(clinic, plan, waiting, unclear) == ["completed"] * 3
    assert statuses(clinic, other, *made) == ["completed", "revoked", "revoked"]


@pytest.mark.parametrize(
    ("end", "begun"), [("finished", "completed"), ("cancelled", "revoked")]
)
def test_requests_that_no_plan_lists_end_with_their_episode(
    clinic, nurse, team, end, begun
) -> None:
    episode, _, (listed, _) = course(clinic, nurse, team)
    _, _, (of_another, _) = course(clinic, nurse, team)
    stored = clinic.read(listed)
    beside = [
        clinic.put({**stored, "id": clinic.number(), "status": status})
        for status in ("active", "on-hold", "draft", "revoked")
    ]
    # Of the same patient, in another episode of care.
    foreign = clinic.put(
        {
            **stored,
            "id": clinic.number(),
            "extension": clinic.read(of_another)["extension"],
        }
    )
    clinic.told()

    assert patch(nurse, episode, to_status(end)).status == 200

    assert statuses(clinic, *beside) == [begun, begun, "revoked", "revoked"]
    assert history(clinic.read(beside[0]))[-1] == (begun, False)
    assert statuses(clinic, foreign) == ["active"]
    told = clinic.told()
    # The two of the plan, and three beside it.
    assert told.count(("ehealth-procedurerequest", "updated")) == 5


def test_what_belongs_to_another_episode_does_not_end(clinic, nurse, team) -> None:
    episode, plan, _ = course(clinic, nurse, team)
    _, other, (foreign, _) = course(clinic, nurse, team)
    listed = [*activities(clinic, plan), {"reference": to(foreign)}]
    clinic.put({**clinic.read(plan), "activity": listed})

    patch(nurse, episode, to_status("finished"))

    assert statuses(clinic, plan, other, foreign) == ["completed", "active", "active"]


def test_an_episode_that_ends_as_planned_ends_its_plans(clinic, nurse, team) -> None:
    episode, plan, requests = course(clinic, nurse, team)
    end = planned("EpisodeOfCare", "finished", after(clinic, days=1))
    op = {"op": "add", "path": "/extension", "value": [end]}
    assert patch(nurse, episode, op).status == 200

    work(clinic, days=1)

    ended = ["finished", *["completed"] * 3]
    assert statuses(clinic, episode, plan, *requests) == ended


def test_an_end_is_the_end_of_what_was_planned(clinic, nurse, team) -> None:
    episode = clinic.episode(team, status="active")
    clinic.consent(episode)
    pause = planned("EpisodeOfCare", "onhold", after(clinic, days=1))
    patch(nurse, episode, {"op": "add", "path": "/extension", "value": [pause]})
    assert len(of(clinic.read(episode), "statusschedule")) == 2

    patch(nurse, episode, to_status("finished"))
    work(clinic, days=10)

    stored = clinic.read(episode)
    assert (stored["status"], of(stored, "statusschedule")) == ("finished", [])
    given_up = clinic.built.timers.given_up(1000)
    assert episode not in {one.subject for one in given_up}


@pytest.mark.parametrize("end", ["finished", "cancelled"])
def test_nothing_begins_in_an_episode_that_is_over(clinic, nurse, team, end) -> None:
    episode = clinic.episode(team, status="active")
    plan = (
        f"CarePlan/{clinic.apply(clinic.plan(clinic.activity()), episode).json['id']}"
    )
    (request,) = (one["reference"]["reference"] for one in activities(clinic, plan))
    # As it was stored before plans ended with their episode.
    clinic.put({**clinic.read(plan), "status": "active"})
    patch(nurse, episode, to_status(end))
    copies = [
        clinic.put({**clinic.read(one), "status": "draft", "id": clinic.number()})
        for one in (plan, request)
    ]

    for one in copies:
        answer = put(clinic, nurse, one, status="active")
        assert answer.status == 422
        assert answer.issues == [
            "The content breaks a rule: "
            f"{episode} is {end}: nothing is active in it any more"
        ]
        # What was left behind is put in order by hand.
        assert put(clinic, nurse, one, status="revoked").status == 200


def test_an_end_and_what_is_not_to_end_are_not_of_one_transaction(
    clinic, nurse, team
) -> None:
    episode, plan, _ = course(clinic, nurse, team)
    operations = json.dumps([to_status("finished")]).encode()
    binary = {
        "resourceType": "Binary",
        "contentType": PATCH,
        "data": base64.b64encode(operations).decode(),
    }

    def answer(**changes):
        stored = {**clinic.read(plan), **changes}
        entries = [
            {"request": {"method": method, "url": url}, "resource": resource}
            for method, url, resource in (
                ("PATCH", episode, binary),
                ("PUT", plan, stored),
            )
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        return nurse.post("", bundle).status

    assert answer(title="goes on") == 422
    assert statuses(clinic, episode, plan) == ["active", "active"]
    assert answer(status="completed") == 200
    assert statuses(clinic, episode, plan) == ["finished", "completed"]


def test_a_finished_episode_is_not_planned_to_go_on(clinic, nurse, team) -> None:
    episode = clinic.episode(team, status="active")
    clinic.consent(episode)
    plan = [
        planned("EpisodeOfCare", "finished", after(clinic, days=1)),
        planned("EpisodeOfCare", "active", after(clinic, days=2)),
    ]

    answer = patch(nurse, episode, {"op": "add", "path": "/extension", "value": plan})

    assert (answer.status, answer.issues) == (
        422,
        [
            "The content breaks a rule: EpisodeOfCare, by episode-of-care: from"
            " finished to active is done by hand, and not planned"
        ],
    )


@pytest.mark.parametrize("status", ["inactive", "rejected"])
def test_an_episode_whose_consent_is_withdrawn_pauses(
    clinic, nurse, team, status
) -> None:
    episode, plan, requests = course(clinic, nurse, team)
    consent = clinic.consent(episode)
    (first,) = (
        f"Consent/{one['id']}"
        for one in clinic.all.get("Consent", {"data": episode}).resources
        if f"Consent/{one['id']}" != consent
    )
    work(clinic)
    clinic.put({**clinic.read(first), "status": status})
    work(clinic)
    # The other one still holds.
    assert statuses(clinic, episode) == ["active"]
    clinic.told()

    clinic.put({**clinic.read(consent), "status": status})
    work(clinic)

    stored = clinic.read(episode)
    assert stored["status"] == "onhold"
    assert stored["statusHistory"][-1]["status"] == "onhold"
    told = clinic.told()
    assert ("ehealth-episodeofcare.status", "updated") in told
    # The citizen, and the care team.
    assert told.count(("ehealth-message", "created")) == 2
    assert statuses(clinic, plan, *requests) == ["active"] * 3
    assert patch(nurse, episode, to_status("active")).status == 422
    clinic.consent(episode)
    assert patch(nurse, episode, to_status("active")).status == 200


@pytest.mark.parametrize(
    "more",
    [
        {"status": "draft"},
        {"status": "inactive", "category": [{"coding": [{"code": "SSLPCI"}]}]},
        {"status": "inactive", "patient": to("Patient/other")},
        {"status": "entered-in-error"},
    ],
    ids=["draft", "another category", "another patient", "mistake"],
)
def test_what_withdraws_nothing_pauses_nothing(clinic, team, more) -> None:
    episode = clinic.episode(team, status="active")
    clinic.consent(episode, **more)

    work(clinic)

    assert statuses(clinic, episode) == ["active"]


def test_a_plan_without_a_definition_is_named_to_a_citizen_who_may_not_end_it(
    clinic, team
) -> None:
    episode = clinic.episode(team, status="active")
    plan = clinic.put(
        {
            "resourceType": "CarePlan",
            "id": clinic.number(),
            "status": "active",
            "intent": "order",
            "subject": clinic.read(episode)["patient"],
            "extension": [{"url": EPISODE, "valueReference": to(episode)}],
        }
    )
    citizen = clinic.at("careplan", Principal("PATIENT", "citizen"))

    (issue,) = patch(citizen, episode, to_status("cancelled")).issues

    assert issue == (f"The definition of {plan} must have the topic self-treatment.")


@pytest.mark.parametrize("own", [True, False])
def test_a_citizen_ends_care_that_is_for_self_treatment_alone(
    clinic, nurse, team, own
) -> None:
    episode = clinic.episode(team, status="active")
    topic = {"topic": [{"coding": [{"code": "self-treatment"}]}]} if own else {}
    definition = clinic.plan(clinic.activity(), **topic)
    plan = f"CarePlan/{clinic.apply(definition, episode).json['id']}"
    citizen = clinic.at("careplan", Principal("PATIENT", "citizen"))
    end = planned("EpisodeOfCare", "finished", after(clinic, days=1))
    ahead = {"op": "add", "path": "/extension", "value": [end]}

    answers = [
        patch(citizen, episode, one).status for one in (ahead, to_status("cancelled"))
    ]

    # The plan is not theirs to end, so its episode is not either, now or later.
    assert answers == ([200, 200] if own else [422, 422])
    expected = ["cancelled", "revoked"] if own else ["active", "draft"]
    assert statuses(clinic, episode, plan) == expected
    put(clinic, nurse, plan, status="revoked")
    assert patch(citizen, episode, to_status("cancelled")).status == 200
