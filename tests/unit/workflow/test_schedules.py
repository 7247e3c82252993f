"""Changes that are planned ahead, and made by the server when their time has come."""

import pytest

from fyr.core import Machine, Schedule, Step
from fyr.core.testing.applications import client_of
from fyr.core.testing.principals import PATIENT, PRACTITIONER, SYSTEM_USER

from .conftest import library
from .plans import (
    PLANNED,
    PLANS,
    TEAMS,
    history,
    plan,
    planned_status,
    planned_team,
    teams,
)


@pytest.fixture
def app(tmp_path):
    with library(tmp_path, PLANS) as built:
        yield built


@pytest.fixture
def nurse(app):
    return client_of(app).acting_as(PRACTITIONER)


def work(app, **by):
    """Let time pass, and a worker do what is due."""
    app.clock.advance(**by)
    app.worker().drain()


def created(nurse, *entries, **more):
    answer = nurse.create(plan(extension=list(entries), **more))
    assert answer.status == 201, answer.json
    return answer.json["id"]


def test_a_planned_change_happens_at_its_time_and_leaves_the_plan(app, nurse) -> None:
    identity = created(
        nurse,
        planned_status("active", "2026-01-08T10:00:00+01:00"),
        planned_status("on-hold", "2026-01-08T10:00:00Z"),
    )
    work(app, minutes=59)
    assert nurse.get(f"CarePlan/{identity}").json["status"] == "draft"
    work(app, minutes=1)
    stored = nurse.get(f"CarePlan/{identity}").json
    assert stored["status"] == "active"
    assert planned_status("on-hold", "2026-01-08T10:00:00Z") in stored["extension"]

    work(app, hours=1)
    stored = nurse.get(f"CarePlan/{identity}").json
    assert history(stored) == [
        ("draft", "08:00", "09:00"),
        ("active", "09:00", "10:00"),
        ("on-hold", "10:00", ""),
    ]
    assert not [one for one in stored["extension"] if "planned" in one["url"]]
    assert app.timers.of(f"CarePlan/{identity}") == []


def test_what_was_missed_while_no_worker_ran_happens_in_order(app, nurse) -> None:
    identity = created(
        nurse,
        planned_status("completed", "2026-01-08T10:00:00Z"),
        planned_status("active", "2026-01-08T09:00:00Z"),
    )
    work(app, days=3)

    stored = nurse.get(f"CarePlan/{identity}").json
    assert stored["status"] == "completed"
    assert [one[0] for one in history(stored)] == ["draft", "active", "completed"]
    assert stored["meta"]["versionId"] == "3"


def test_changes_of_one_moment_happen_one_after_the_other(app, nurse) -> None:
    at = "2026-01-08T09:00:00Z"
    identity = created(
        nurse,
        planned_status("active", at),
        planned_team("b", at),
        planned_team("a", at, adds=False),
        careTeam=teams("a"),
    )
    work(app, hours=1)

    stored = nurse.get(f"CarePlan/{identity}").json
    assert (stored["status"], stored["careTeam"]) == ("active", teams("b"))
    assert history(stored, TEAMS) == [
        ("CareTeam/a", "08:00", "09:00"),
        ("CareTeam/b", "09:00", ""),
    ]


def test_a_plan_that_is_changed_or_taken_back_is_followed(app, nurse) -> None:
    later = planned_status("active", "2026-01-08T12:00:00Z")
    moved = created(nurse, planned_status("active", "2026-01-08T09:00:00Z"))
    dropped = created(nurse, planned_status("active", "2026-01-08T09:00:00Z"))
    deleted = created(nurse, planned_status("active", "2026-01-08T09:00:00Z"))
    nurse.update(plan(id=moved, extension=[later]))
    nurse.update(plan(id=dropped))
    nurse.delete(f"CarePlan/{deleted}")
    work(app, hours=2)

    for identity in (moved, dropped):
        assert nurse.get(f"CarePlan/{identity}").json["status"] == "draft"
    assert nurse.get(f"CarePlan/{deleted}").status == 410
    work(app, hours=2)
    assert nurse.get(f"CarePlan/{moved}").json["status"] == "active"
    assert app.timers.given_up() == []


def test_a_planned_change_that_is_refused_is_told_and_what_follows_is_done(
    app, nurse
) -> None:
    identity = created(
        nurse,
        planned_status("active", "2026-01-08T09:00:00Z"),
        planned_team("a", "2026-01-08T10:00:00Z"),
    )
    stored = nurse.get(f"CarePlan/{identity}").json
    del stored["period"]
    nurse.update(stored)
    work(app, hours=1)

    (failed,) = app.timers.given_up()
    assert (failed.subject, failed.error) == (
        f"CarePlan/{identity}",
        "a period is missing",
    )
    assert (
        'fyr_timers_failed{timer="workflow-schedule"} 1' in app.metrics.page().decode()
    )
    work(app, hours=1)
    stored = nurse.get(f"CarePlan/{identity}").json
    assert (stored["status"], stored["careTeam"]) == ("draft", teams("a"))
    assert len(app.timers.given_up()) == 1


def test_what_was_refused_can_be_tried_again_once_it_may_be(app, nurse) -> None:
    identity = created(nurse, planned_status("active", "2026-01-08T09:00:00Z"))
    stored = nurse.get(f"CarePlan/{identity}").json
    del stored["period"]
    nurse.update(stored)
    work(app, hours=1)
    (failed,) = app.timers.given_up()
    stored = nurse.get(f"CarePlan/{identity}").json
    later = planned_status("on-hold", "2026-01-08T12:00:00Z")
    nurse.update({**stored, **plan(), "id": identity, "extension": [later]})
    app.timers.retry(failed.id)
    work(app, hours=1)

    assert nurse.get(f"CarePlan/{identity}").json["status"] == "active"
    work(app, hours=2)
    assert nurse.get(f"CarePlan/{identity}").json["status"] == "on-hold"
    assert app.timers.given_up() == []


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (planned_status("active", "2026-01-09"), "a change is planned for a moment"),
        (planned_status("unknown", "2026-01-09T10:00:00Z"), "unknown is no state"),
        (planned_team("", "2026-01-09T10:00:00Z"), "a planned change of teams names"),
    ],
)
def test_a_plan_that_nobody_could_carry_out_is_refused(nurse, entry, problem) -> None:
    answer = nurse.create(plan(extension=[{"url": "urn:x", "valueString": "x"}, entry]))

    assert answer.status == 422
    assert problem in answer.issues[0]
    assert answer.json["issue"][0]["expression"] == ["CarePlan.extension[1]"]


ON_THE_NINTH = "2026-01-09T10:00:00Z"


def answered(client, *entries, **more):
    answer = client.create(plan(extension=list(entries), **more))
    return answer.status, answer.issues[0] if answer.status != 201 else ""


@pytest.mark.parametrize(
    ("planned", "problem"),
    [
        (["draft"], "CarePlan, by plan: draft is no step of PRACTITIONER"),
        (
            ["completed", "active"],
            "CarePlan, by plan: nothing that PRACTITIONER may do leads from completed"
            " to active",
        ),
        (
            ["active", "completed", "completed"],
            "CarePlan, by plan: nothing that PRACTITIONER may do leads from completed"
            " to completed",
        ),
    ],
)
def test_a_state_that_no_steps_lead_to_is_not_planned(nurse, planned, problem) -> None:
    entries = [
        planned_status(state, f"2026-01-{9 + number:02}T10:00:00Z")
        for number, state in enumerate(planned)
    ]

    assert answered(nurse, *entries) == (422, f"The content breaks a rule: {problem}")
    assert nurse.get("CarePlan").json["total"] == 0


def test_steps_by_hand_may_come_between_planned_ones(nurse) -> None:
    later = planned_status("completed", ON_THE_NINTH)

    assert answered(nurse, later) == (201, "")


def test_what_follows_is_asked_about_again_when_something_else_comes_before_it(
    nurse,
) -> None:
    end = planned_status("completed", "2026-01-09T11:00:00Z")
    identity = created(nurse, planned_status("active", ON_THE_NINTH), end)
    resumed = planned_status("on-hold", "2026-01-09T12:00:00Z")

    answer = nurse.update(plan(id=identity, extension=[end, resumed]))

    assert answer.status == 422
    # The state may be brought about by hand meanwhile: that is nothing of the plan.
    assert nurse.update(plan(id=identity, extension=[end])).status == 200


LENT = Machine(
    "lent",
    "CarePlan",
    (
        Step(None, "draft"),
        Step("draft", "active"),
        Step("active", "completed"),
        Step("active", "revoked", by={"PRACTITIONER", "SYSTEM"}),
        Step("completed", "active", by={"PRACTITIONER", "SYSTEM"}, by_hand=True),
    ),
    schedule=Schedule(status=PLANNED),
)


@pytest.fixture
def lent(tmp_path):
    with library(tmp_path, LENT) as built:
        yield built


@pytest.mark.parametrize(
    ("states", "allowed"),
    [
        (["active", "completed"], {"PATIENT", "PRACTITIONER", "SYSTEM"}),
        (["active", "revoked"], {"PRACTITIONER", "SYSTEM"}),
        # What a system brings may have been planned somewhere else.
        (["active", "completed", "active"], {"SYSTEM"}),
    ],
)
def test_nobody_plans_what_they_could_not_do_by_hand(lent, states, allowed) -> None:
    entries = [
        planned_status(state, f"2026-01-{9 + number:02}T10:00:00Z")
        for number, state in enumerate(states)
    ]
    users = {"PATIENT": PATIENT, "PRACTITIONER": PRACTITIONER, "SYSTEM": SYSTEM_USER}
    may = {
        name
        for name, user in users.items()
        if client_of(lent)
        .acting_as(user)
        .create(plan(id=name, extension=entries))
        .status
        == 201
    }

    assert may == allowed


def test_a_step_by_hand_is_not_carried_out_as_planned(lent) -> None:
    nurse = client_of(lent).acting_as(PRACTITIONER)
    identity = created(
        nurse, planned_status("active", "2026-01-08T12:00:00Z"), status="draft"
    )
    for status in ("active", "completed"):
        stored = nurse.get(f"CarePlan/{identity}").json
        assert nurse.update({**stored, "status": status}).status == 200

    work(lent, hours=4)

    assert nurse.get(f"CarePlan/{identity}").json["status"] == "completed"
    (failed,) = lent.timers.given_up()
    assert failed.error.endswith("is done by hand, and not planned")


def test_who_takes_over_at_a_moment_comes_before_who_leaves_then(app, nurse) -> None:
    at = "2026-01-08T09:00:00Z"
    leaves, comes = planned_team("a", at, adds=False), planned_team("b", at)
    identity = created(nurse, leaves, comes, careTeam=teams("a"))
    work(app, hours=1)

    found = nurse.get(f"CarePlan/{identity}/_history").resources
    assert [one.get("careTeam") for one in found] == [
        teams("b"),
        teams("a", "b"),
        teams("a"),
    ]
