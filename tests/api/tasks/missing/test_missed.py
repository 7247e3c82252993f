"""Measurements that do not come: tasks, messages and an event, each once."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from fyr.core.errors import Conflict, Unavailable
from fyr.core.testing.clock import FakeClock

from ...guide import EHEALTH, to
from ..conftest import Ward, opened
from .watched import Watched, part


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
