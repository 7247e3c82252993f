"""What is to be done has to say when, before it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fyr.core import Machine, Plugin, Step, hookimpl
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.principals import PRACTITIONER
from fyr.plugins.clinical.extensions import (
    CARE_PLAN_STATUS_SCHEDULE,
    SERVICE_REQUEST_STATUS_SCHEDULE,
)
from fyr.plugins.clinical.occurrences import occurrence_is_valid, occurrences_are_valid

STATES = ("draft", "active", "on-hold", "completed", "revoked")
ANY = (
    Step(None, "draft"),
    Step(None, "on-hold"),
    *tuple(Step(one, other) for one in STATES for other in STATES if one != other),
)
TIMED = {"occurrenceDateTime": "2026-01-05T09:00:00+01:00"}
DAILY = {
    "repeat": {
        "boundsPeriod": {"start": "2026-01-05T09:00:00+01:00"},
        "frequency": 1,
        "period": 1,
        "periodUnit": "d",
    }
}


class Guarded(Plugin):
    @hookimpl
    def register_machines(self):
        return [
            Machine("request", "ServiceRequest", ANY, when=(occurrence_is_valid,)),
            Machine("plan", "CarePlan", ANY, when=(occurrences_are_valid,)),
        ]


@pytest.fixture
def nurse(tmp_path: Path) -> Iterator[Client]:
    settings = settings_with({}, tmp_path)
    with application(settings, FakeClock(), {"guarded": Guarded}) as built:
        yield client_of(built).acting_as(PRACTITIONER)


def request(status: str = "draft", *planned: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "ServiceRequest",
        "status": status,
        "intent": "order",
        "subject": {"reference": "Patient/1"},
        **scheduled(SERVICE_REQUEST_STATUS_SCHEDULE, planned),
        **more,
    }


def plan(status: str, *planned: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "CarePlan",
        "status": status,
        "intent": "order",
        "subject": {"reference": "Patient/1"},
        **scheduled(CARE_PLAN_STATUS_SCHEDULE, planned),
        **more,
    }


def scheduled(url: str, planned: tuple[str, ...]) -> dict[str, Any]:
    entries = [
        {
            "url": url,
            "extension": [
                {"url": "status", "valueCode": status},
                {"url": "scheduledTime", "valueDateTime": f"2026-02-0{day}T09:00:00Z"},
            ],
        }
        for day, status in enumerate(planned, 1)
    ]
    return {"extension": entries} if entries else {}


def moved(nurse: Client, *planned: str, to: str, **more: Any) -> Answer:
    """Create a request, and update it to another state."""
    made = nurse.create(request(**more)).json
    return nurse.update(request(to, *planned, id=made["id"], **more))


@pytest.mark.parametrize("status", ["active", "on-hold", "completed"])
def test_a_request_without_a_time_is_not_asked_for(nurse, status) -> None:
    answer = moved(nurse, to=status)

    assert answer.status == 422
    assert "does not say when" in answer.issues[0]
    assert answer.json["issue"][0]["expression"] == ["ServiceRequest.occurrence"]


@pytest.mark.parametrize("status", ["active", "on-hold", "completed"])
def test_a_request_with_a_time_is_asked_for(nurse, status) -> None:
    assert moved(nurse, to=status, **TIMED).status == 200


def test_a_request_that_is_revoked_needs_no_time(nurse) -> None:
    assert moved(nurse, to="revoked").status == 200


def test_a_state_that_is_planned_needs_a_time_at_once(nurse) -> None:
    answer = moved(nurse, "active", to="draft")

    assert answer.status == 422
    assert "does not say when" in answer.issues[0]


def test_a_timing_without_a_start_is_told_apart(nurse) -> None:
    timing = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}

    answer = moved(nurse, to="active", occurrenceTiming=timing)

    assert answer.status == 422
    assert len(answer.issues) == 1
    assert "its timing has no start" in answer.issues[0]


def test_all_problems_of_a_timing_are_told_with_their_paths(nurse) -> None:
    repeat = {**DAILY["repeat"], "periodUnit": "s", "duration": 1}

    answer = moved(nurse, to="active", occurrenceTiming={"repeat": repeat})

    assert answer.status == 422
    assert [one["expression"] for one in answer.json["issue"]] == [
        ["ServiceRequest.occurrence.repeat.durationUnit"],
        ["ServiceRequest.occurrence.repeat.periodUnit"],
    ]
    assert all("whose status is active" in one for one in answer.issues)


def test_what_is_created_on_hold_gets_its_time_later(nurse) -> None:
    assert nurse.create(request("on-hold")).status == 201


def asked(nurse: Client, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    ids = [nurse.create(one).json["id"] for one in requests]
    return [{"reference": {"reference": f"ServiceRequest/{one}"}} for one in ids]


def test_a_plan_begins_when_all_that_it_asks_for_has_a_time(nurse) -> None:
    activity = asked(nurse, request(**TIMED), request("on-hold", **TIMED), request())
    made = nurse.create(plan("draft", activity=activity)).json

    answer = nurse.update(plan("active", id=made["id"], activity=activity))

    assert answer.status == 200


@pytest.mark.parametrize(
    ("to", "planned"), [("active", ()), ("draft", ("active",))], ids=["now", "planned"]
)
def test_a_plan_does_not_begin_while_something_has_no_time(nurse, to, planned) -> None:
    wrong = {"repeat": {**DAILY["repeat"], "period": 0}}
    activity = asked(
        nurse,
        request("on-hold"),
        request(**TIMED),
        request("on-hold", occurrenceTiming=wrong),
    )
    made = nurse.create(plan("draft", activity=activity)).json

    answer = nurse.update(plan(to, *planned, id=made["id"], activity=activity))

    assert answer.status == 422
    assert [one["expression"] for one in answer.json["issue"]] == [
        ["CarePlan.activity[0].reference"],
        ["CarePlan.activity[2].reference"],
    ]


def test_a_plan_that_ends_asks_for_no_times(nurse) -> None:
    activity = asked(nurse, request("on-hold"))
    made = nurse.create(plan("draft", activity=activity)).json

    assert nurse.update(plan("revoked", id=made["id"], activity=activity)).status == 200
