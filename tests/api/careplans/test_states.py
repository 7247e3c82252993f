"""The states of care plans and service requests, over HTTP, and their histories."""

import pytest

from ..guide import EHEALTH, to
from .states import after, history, of, planned, put, work

# Care plans


def test_a_care_plan_begins_with_its_histories(clinic, plan, team) -> None:
    stored = clinic.read(plan)

    assert history(stored) == [("draft", False)]
    assert history(stored, "teamHistory") == [(team, False)]


def test_a_care_plan_is_activated_and_told(clinic, nurse, plan) -> None:
    clinic.told()

    assert put(clinic, nurse, plan, status="active").status == 200

    assert history(clinic.read(plan)) == [("draft", True), ("active", False)]
    assert ("ehealth-careplan.status", "updated") in clinic.told()


def unclear(clinic, episode, **more):
    """Make a draft of a plan with an activity that does not say when."""
    made = clinic.apply(clinic.plan(clinic.activity(timing=False)), episode).json
    plan = f"CarePlan/{made['id']}"
    reference = clinic.read(plan)["activity"][0]["reference"]["reference"]
    stored = clinic.read(reference)
    extension = [*stored["extension"], *more.pop("extension", ())]
    other = {**stored, **more, "extension": extension, "id": clinic.number()}
    listed = [{"reference": to(clinic.put(other))}]
    clinic.put({**clinic.read(plan), "activity": listed})
    return plan


@pytest.mark.parametrize("status", ["active", "on-hold", "completed"])
def test_a_plan_whose_activity_does_not_say_when_stays_a_draft(
    clinic, nurse, episode, status
) -> None:
    plan = unclear(clinic, episode, status=status)

    answer = put(clinic, nurse, plan, status="active")

    assert answer.status == 422
    assert "does not say when" in answer.issues[0]
    assert answer.json["issue"][0]["expression"] == ["CarePlan.activity[0].reference"]
    assert clinic.read(plan)["status"] == "draft"


def test_an_activity_that_will_be_active_has_to_say_when_too(
    clinic, nurse, episode
) -> None:
    soon = planned("ServiceRequest", "active", after(clinic, days=1))
    plan = unclear(clinic, episode, extension=[soon])

    assert put(clinic, nurse, plan, status="active").status == 422


def test_a_plan_cannot_be_planned_to_begin_before_its_activities_say_when(
    clinic, nurse, episode
) -> None:
    plan = unclear(clinic, episode, status="active")
    stored = clinic.read(plan)
    soon = planned("CarePlan", "active", after(clinic, days=1))

    answer = put(clinic, nurse, plan, extension=[*stored["extension"], soon])

    assert answer.status == 422


def test_an_activity_that_stays_a_draft_need_not_say_when(
    clinic, nurse, episode
) -> None:
    assert put(clinic, nurse, unclear(clinic, episode), status="active").status == 200


def test_a_care_plan_becomes_active_as_planned(clinic, nurse, plan) -> None:
    soon = planned("CarePlan", "active", after(clinic, hours=3))
    stored = clinic.read(plan)
    put(clinic, nurse, plan, extension=[*stored["extension"], soon])

    work(clinic, hours=3)

    stored = clinic.read(plan)
    assert stored["status"] == "active"
    assert of(stored, "statusschedule") == []


def test_histories_are_the_servers(clinic, nurse, plan) -> None:
    stored = clinic.read(plan)
    kept = [one for one in stored["extension"] if "History" not in one["url"]]

    assert put(clinic, nurse, plan, extension=kept, title="x").status == 200

    assert history(clinic.read(plan)) == [("draft", False)]


def test_what_was_asked_for_stays_in_a_plan_that_was_begun(clinic, nurse, plan) -> None:
    put(clinic, nurse, plan, status="active")
    stored = clinic.read(plan)
    del stored["activity"]

    answer = nurse.update(stored)

    assert answer.status == 422
    assert answer.json["issue"][0]["expression"] == ["CarePlan.activity"]


def test_an_activity_may_be_left_out_of_a_draft(clinic, nurse, plan) -> None:
    stored = clinic.read(plan)
    del stored["activity"]

    assert nurse.update(stored).status == 200


def test_a_part_stays_a_part(clinic, nurse, episode) -> None:
    definition = clinic.plan(clinic.plan(clinic.activity()))
    made = clinic.apply(definition, episode).json
    (part,) = clinic.all.get(
        "CarePlan", {"part-of": f"CarePlan/{made['id']}"}
    ).resources
    reference = f"CarePlan/{part['id']}"
    put(clinic, nurse, reference, status="active")
    stored = clinic.read(reference)
    del stored["partOf"]

    assert nurse.update(stored).status == 422


@pytest.mark.parametrize("end", ["completed", "revoked"])
def test_a_plan_that_has_ended_stays_so(clinic, nurse, plan, end) -> None:
    put(clinic, nurse, plan, status="active")
    put(clinic, nurse, plan, status=end)

    assert clinic.read(plan)["status"] == end
    assert put(clinic, nurse, plan, status="active").status == 422
    reference = clinic.read(plan)["activity"][0]["reference"]["reference"]
    assert clinic.read(reference)["status"] == "draft"


# Service requests


def test_a_request_is_activated_and_its_history_kept(
    clinic, nurse, plan, request_of
) -> None:
    reference = request_of(plan)
    clinic.told()

    assert put(clinic, nurse, reference, status="active").status == 200

    assert history(clinic.read(reference)) == [("draft", True), ("active", False)]
    assert ("ehealth-procedurerequest", "updated") in clinic.told()


def test_a_request_becomes_active_as_planned(clinic, nurse, plan, request_of) -> None:
    reference = request_of(plan)
    soon = planned("ServiceRequest", "active", after(clinic, hours=1))
    stored = clinic.read(reference)
    assert (
        put(clinic, nurse, reference, extension=[*stored["extension"], soon]).status
        == 200
    )

    work(clinic, hours=1)

    stored = clinic.read(reference)
    assert stored["status"] == "active"
    assert of(stored, "statusSchedule") == []


def test_a_request_that_does_not_say_when_is_not_activated(
    clinic, nurse, plan, request_of
) -> None:
    reference = request_of(plan)
    stored = clinic.read(reference)
    del stored["occurrenceTiming"]

    answer = nurse.update({**stored, "status": "active"})

    assert answer.status == 422
    assert answer.issues == [
        f"ServiceRequest {stored['id']} does not say when it is to happen."
    ]


def test_a_timing_that_makes_no_sense_is_refused_with_its_place(
    clinic, nurse, plan, request_of
) -> None:
    reference = request_of(plan)
    bounds = {"start": "2026-01-08T08:00:00+00:00"}
    timing = {"repeat": {"boundsPeriod": bounds, "period": 1, "periodUnit": "d"}}

    answer = put(clinic, nurse, reference, status="active", occurrenceTiming=timing)

    assert answer.status == 422
    assert "cannot be used" in answer.issues[0]


def waiting(clinic, episode):
    """Make a request that waits for its trigger."""
    action = {
        "definitionCanonical": f"http://localhost/plan/fhir/{clinic.activity()}",
        "extension": [
            {
                "url": f"{EHEALTH}actionTrigger",
                "extension": [{"url": "triggerBehavior", "valueCode": "all"}],
            }
        ],
    }
    made = clinic.apply(clinic.plan(action=[action]), episode).json
    stored = clinic.read(f"CarePlan/{made['id']}")
    return stored["activity"][0]["reference"]["reference"]


def switched(resource, code):
    url = f"{EHEALTH}trigger-enablement-code"
    kept = [one for one in resource["extension"] if one["url"] != url]
    return [*kept, {"url": url, "valueCode": code}]


def trigger(resource):
    return of(resource, "trigger-enablement-code")[0]["valueCode"]


def test_a_trigger_may_be_switched_off_and_on(clinic, nurse, episode) -> None:
    reference = waiting(clinic, episode)

    for code in ("TRIGGER_DISABLED", "TRIGGER_ENABLED"):
        stored = clinic.read(reference)
        answer = nurse.update({**stored, "extension": switched(stored, code)})
        assert answer.status == 200, answer.issues
        assert trigger(clinic.read(reference)) == code


@pytest.mark.parametrize("code", ["NO_TRIGGER", "TRIGGER_DONE"])
def test_other_changes_of_a_trigger_are_refused(clinic, nurse, episode, code) -> None:
    reference = waiting(clinic, episode)
    stored = clinic.read(reference)

    answer = nurse.update({**stored, "extension": switched(stored, code)})

    assert answer.status == 422
    assert answer.issues == [
        f"From TRIGGER_ENABLED the ServiceRequest cannot become {code}: that is no step"
        " of a trigger"
    ]


def test_what_has_no_trigger_gets_none(clinic, nurse, plan, request_of) -> None:
    reference = request_of(plan)
    stored = clinic.read(reference)

    answer = nurse.update({**stored, "extension": switched(stored, "TRIGGER_ENABLED")})

    assert answer.status == 422


def test_what_is_started_by_hand_waits_for_no_trigger(clinic, nurse, episode) -> None:
    reference = waiting(clinic, episode)

    assert put(clinic, nurse, reference, status="active").status == 200

    assert trigger(clinic.read(reference)) == "TRIGGER_DISABLED"


def test_the_server_says_that_a_trigger_is_done(clinic, episode) -> None:
    reference = waiting(clinic, episode)
    stored = clinic.read(reference)

    def start(acting):
        resource = acting.read(reference)
        resource["status"] = "active"
        resource["extension"] = switched(resource, "TRIGGER_DONE")
        acting.update(resource)

    clinic.built.act(start)

    stored = clinic.read(reference)
    assert (stored["status"], trigger(stored)) == ("active", "TRIGGER_DONE")


# System tags


def test_foreign_tags_are_refused(clinic, nurse, plan) -> None:
    tag = {"system": "http://ehealth.sundhed.dk/cs/ehealth-system", "code": "xb"}
    stored = clinic.read(plan)
    meta = {**stored["meta"], "tag": [*stored["meta"]["tag"], tag]}

    answer = put(clinic, nurse, plan, meta=meta)

    assert answer.status == 422
    assert answer.issues[0].startswith("The resource has system tags other than those")
