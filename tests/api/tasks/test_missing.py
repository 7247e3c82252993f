"""Measurements that do not come: reminders, tasks, messages and an event, each once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from fyr.core.errors import Conflict, Unavailable
from fyr.core.testing.clock import FakeClock

from ..guide import EHEALTH, EPISODE, SATURATION, concept, ext, to
from .conftest import Case, Ward, opened

MISSING = "ehealth-procedurerequest.measurement-missing"


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """A server of its own: what happens here takes days."""
    with opened(tmp_path_factory.mktemp("missing")) as built:
        yield Ward(*built)


def daily(start: Any, **more: Any) -> dict[str, Any]:
    """Every day for two hours, from a moment on."""
    repeat = {
        "boundsPeriod": {"start": start.isoformat()},
        "frequency": 1,
        "period": 1,
        "periodUnit": "d",
        "duration": 2,
        "durationUnit": "h",
        **more,
    }
    return {"occurrenceTiming": {"repeat": repeat}}


class Watched(Case):
    """A case whose activity is to be done daily, from in an hour on."""

    def __init__(self, ward: Ward, **more: Any) -> None:
        ward.work()
        ward.messages.new()
        self.first = ward.clock.now + timedelta(hours=1)
        self.repeat = more.pop("repeat", {})
        super().__init__(ward, **more)
        ward.work()

    def service_request(
        self, *, ranges: Any = (), status: str = "active", **more: Any
    ) -> str:
        given = {
            "status": status,
            "intent": "order",
            "subject": to(self.patient),
            "code": {"coding": [SATURATION]},
            "extension": [ext(EPISODE, valueReference=to(self.episode)), *ranges],
            **daily(self.first, **self.repeat),
            **more,
        }
        return self.ward.of("ServiceRequest", **given)

    def submit(self, day: int = 0, **more: Any) -> str:
        start = self.first + timedelta(days=day)
        parts = [
            {"url": "serviceRequestVersionId", "valueId": "1"},
            {"url": "start", "valueDateTime": start.isoformat()},
            {"url": "end", "valueDateTime": (start + timedelta(hours=2)).isoformat()},
            {"url": "type", "valueCodeableConcept": concept("Resolved")},
        ]
        return self.ward.of(
            "Observation",
            **{
                "status": "final",
                "code": {"coding": [SATURATION]},
                "subject": to(self.patient),
                "basedOn": [to(self.request)],
                "effectiveDateTime": start.isoformat(),
                "extension": [
                    ext(EPISODE, valueReference=to(self.episode)),
                    ext("resolved-timing", extension=parts),
                ],
                **more,
            },
        )

    def later(self, **by: float) -> None:
        self.ward.clock.advance(**by)
        self.ward.work()

    def tasks(self) -> list[Any]:
        return self.ward.find("Task", ("focus", self.request))

    def messages(self) -> list[Any]:
        return self.ward.written_to(self.patient)

    def events(self) -> list[Any]:
        return [
            json.loads(one.payload)
            for one in self.ward.messages.new()
            if one.topic == MISSING and self.request in str(one.payload)
        ]


def consent_of(case: Case) -> None:
    case.ward.of(
        "Consent",
        status="active",
        scope=concept("x"),
        category=[concept("PITEOC", "http://ehealth.sundhed.dk/cs/consent-category")],
        policy=[{"uri": "urn:x"}],
        patient=to(case.patient),
        provision={"data": [{"meaning": "instance", "reference": to(case.episode)}]},
    )


def part(resource: Any, name: str) -> Any:
    (found,) = [one for one in resource["extension"] if one["url"] == EHEALTH + name]
    return next(one for key, one in found.items() if key != "url")


def test_a_slot_that_was_not_met_becomes_a_task_of_the_team(ward: Ward) -> None:
    """As captured: requested, plan, routine, and the slot that was missed."""
    case = Watched(ward)

    case.later(hours=3, minutes=59)
    assert case.tasks() == []
    case.later(minutes=1)

    (task,) = case.tasks()
    assert (task["status"], task["intent"], task["priority"]) == (
        "requested",
        "plan",
        "routine",
    )
    assert task["for"] == to(case.patient)
    assert part(task, "task-responsible") == to(case.team)
    category = part(task, "task-category")["coding"][0]["code"]
    assert category == "MissingMeasurementResolving"
    slot = {one["url"]: one for one in part(task, "resolved-timing")}
    assert slot["serviceRequestVersionId"]["valueId"] == "1"
    assert slot["start"]["valueDateTime"] == case.first.isoformat()


def test_the_team_gets_a_message_and_subscribers_an_event(ward: Ward) -> None:
    case = Watched(ward)

    case.later(hours=4)

    (message,) = [
        one for one in case.messages() if EHEALTH in str(one) and "recipient" not in one
    ]
    assert message["category"][0]["coding"][0]["code"] == "notification"
    assert part(message, "communication-recipientCareTeam") == to(case.team)
    (event,) = case.events()
    assert event["eventType"] == "created"
    assert event["context"] == "measurement-missing"
    assert event["resourceReference"].endswith(f"/careplan/fhir/{case.request}")


def test_a_slot_that_was_met_is_not_missed(ward: Ward) -> None:
    case = Watched(ward)
    case.submit()

    case.later(hours=4)

    assert case.tasks() == []
    assert case.messages() == []
    assert case.events() == []


def test_the_slots_of_each_day_are_looked_at(ward: Ward) -> None:
    case = Watched(ward)
    case.submit(day=1)

    for _ in range(4):
        case.later(days=1)

    starts = sorted(
        one["valueDateTime"]
        for task in case.tasks()
        for one in part(task, "resolved-timing")
        if one["url"] == "start"
    )
    expected = [case.first + timedelta(days=day) for day in (0, 2, 3)]
    assert starts == [one.isoformat() for one in expected]


def test_all_that_was_missed_while_nothing_ran_is_found_once(ward: Ward) -> None:
    case = Watched(ward)

    case.later(days=30)
    case.later(minutes=1)

    assert len(case.tasks()) == 30
    assert len(case.events()) == 30


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store that outlives a server, on each of the databases in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'fyr.db'}"
    made: str = request.getfixturevalue("postgresql").new_database()
    return made


def test_workers_beside_each_other_say_it_once(tmp_path: Path, store: str) -> None:
    with opened(tmp_path, store=store) as built:
        ward = Ward(*built)
        cases = [Watched(ward) for _ in range(5)]
        ward.clock.advance(hours=4)

        def drain() -> None:
            # A worker that loses races again and again leaves the rest to its next look.
            with suppress(Conflict, Unavailable):
                ward.built.worker().drain()

        threads = [Thread(target=drain) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in threads)
        # A timer whose races were lost is tried again only after a while.
        ward.clock.advance(minutes=10)
        ward.work()

        assert [len(case.tasks()) for case in cases] == [1] * 5
        assert len(cases[0].events()) == 1


def test_what_was_waited_for_is_found_after_a_restart_and_once(
    tmp_path: Path, store: str
) -> None:
    clock = FakeClock()
    with opened(tmp_path, clock, store) as built:
        case = Watched(Ward(*built))
    clock.advance(hours=4)

    for _ in range(2):
        with opened(tmp_path, clock, store) as built:
            ward = Ward(*built)
            ward.work()
            assert len(ward.find("Task", ("focus", case.request))) == 1


def test_a_request_that_changes_while_it_is_waited_for_is_told_once(ward: Ward) -> None:
    case = Watched(ward)
    ward.clock.advance(hours=4)

    stored = ward.read(case.request)
    ward.put({**stored, "priority": "urgent"})
    ward.work()
    ward.put({**stored, "priority": "asap"})
    case.later(minutes=1)

    assert len(case.tasks()) == 1


@pytest.mark.parametrize("status", ["on-hold", "revoked", "completed"])
def test_a_request_that_is_not_active_is_not_waited_for(ward, status) -> None:
    case = Watched(ward)
    stored = ward.read(case.request)
    ward.put({**stored, "status": status})

    case.later(days=3)

    assert case.tasks() == []
    assert case.messages() == []


@pytest.mark.parametrize("of", ["episode", "plan"])
def test_what_pauses_is_silent_and_goes_on(ward: Ward, of: str) -> None:
    case = Watched(ward)
    consent_of(case)
    paused = {"episode": "onhold", "plan": "on-hold"}[of]
    reference = getattr(case, of)
    ward.put({**ward.read(reference), "status": paused})
    case.later(days=1)
    assert case.tasks() == []

    ward.put({**ward.read(reference), "status": "active"})
    case.later(days=1)

    assert len(case.tasks()) == 1


def test_a_pause_that_was_planned_is_silent_though_nothing_ran_meanwhile(
    ward: Ward,
) -> None:
    case = Watched(ward)

    def planned(status: str, days: int) -> dict[str, Any]:
        at = (case.first + timedelta(days=days, hours=12)).isoformat()
        said = {"url": "status", "valueCode": status}
        when = {"url": "scheduledTime", "valueDateTime": at}
        return ext("careplan-statusschedule", extension=[said, when])

    plan = ward.read(case.plan)
    changes = [planned("on-hold", 1), planned("active", 4)]
    ward.put({**plan, "extension": [*plan.get("extension", ()), *changes]})
    ward.work()

    case.later(days=6)

    starts = sorted(
        next(one["valueDateTime"] for one in timing if one["url"] == "start")
        for timing in (part(task, "resolved-timing") for task in case.tasks())
    )
    missed = [case.first + timedelta(days=day) for day in (0, 1, 5)]
    assert starts == [one.isoformat() for one in missed]


def test_what_cannot_be_said_of_one_slot_holds_back_no_other(ward: Ward) -> None:
    case = Watched(ward)
    consent_of(case)
    episode = ward.read(case.episode)
    stranger = ward.of("Patient")
    ward.put({**episode, "patient": to(stranger)})
    case.later(hours=4)
    assert case.tasks() == []

    ward.put({**episode, "patient": to(case.patient)})
    case.later(days=1)

    assert len(case.tasks()) == 1


def test_what_nobody_measures_is_not_missed(ward: Ward) -> None:
    meeting = concept("ALCA00", "urn:oid:1.2.208.176.2.4")
    case = Watched(ward, code=meeting)

    case.later(days=2)

    assert case.tasks() == []
    assert case.messages() == []


def test_less_than_was_to_be_is_missed(ward: Ward) -> None:
    case = Watched(ward, repeat={"frequency": 2})
    case.submit()

    case.later(hours=4)

    assert len(case.tasks()) == 1


def test_a_measurement_that_was_invalidated_does_not_count(ward: Ward) -> None:
    case = Watched(ward)
    case.submit(status="entered-in-error")

    case.later(hours=4)

    assert len(case.tasks()) == 1


def test_an_invalidated_measurement_may_be_said_to_fulfil(ward: Ward) -> None:
    case = Watched(ward)
    measurement = case.submit(status="entered-in-error")
    system = "http://ehealth.sundhed.dk/cs/clinicalimpression-decision-codes"
    decided = concept("invalidated-fulfills", system)
    ward.of(
        "ClinicalImpression",
        status="completed",
        subject=to(case.patient),
        investigation=[{"code": concept("x"), "item": [to(measurement)]}],
        extension=[
            ext(EPISODE, valueReference=to(case.episode)),
            ext("clinicalimpression-decision", valueCodeableConcept=decided),
        ],
    )

    case.later(hours=4)

    assert case.tasks() == []


def test_a_patient_is_reminded_in_the_middle_of_a_slot(ward: Ward) -> None:
    case = Watched(ward)

    case.later(hours=1, minutes=59)
    assert case.messages() == []
    case.later(minutes=1)

    (message,) = case.messages()
    assert message["recipient"] == [to(case.patient)]
    assert message["category"][0]["coding"][0]["code"] == "advice"
    (reason,) = message["reasonCode"]
    assert reason["coding"][0]["code"] == "ReminderSubmitMeasurement"


def test_nobody_is_reminded_of_what_is_over(ward: Ward) -> None:
    case = Watched(ward)

    case.later(days=2, hours=2)

    (message,) = [
        one
        for one in case.messages()
        if "ReminderSubmitMeasurement" in json.dumps(one.get("reasonCode"))
    ]
    day = (case.first + timedelta(days=2)).strftime("%d.%m.%Y")
    assert day in message["payload"][0]["contentString"]


def test_a_patient_who_has_measured_is_not_reminded(ward: Ward) -> None:
    case = Watched(ward)
    case.submit()

    case.later(hours=2)

    assert case.messages() == []
