"""Planned changes and reminders while processes are killed: each happens exactly once.

A day ago somebody planned states and teams, and slots to be measured in; then nothing ran,
and all of it is due when the first process begins. Processes die as by a power cut, at
moments by chance in the middle of it. What they leave, one that lives on brings to its end.
"""

import os
import random
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fyr.core.clock import utc_now
from fyr.core.events.change import RESOURCE
from fyr.core.telling import TOLD
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.process import FyrProcess, fyr_process

from .planned import FEW, MANY, Told, World, to

PLUGINS = ["search", "administrative", "clinical"]
CUTS, KILLS = 3, 6
#: The states that each kind goes through.
ENDS = {"EpisodeOfCare": ["active", "finished"], "CarePlan": ["active", "completed"]}
#: Says one byte for each version that is stored, in the middle of its transaction. Once all
#: processes have begun, which nobody who waits here may hold up, it waits to be allowed to.
TELLING = """
import os
from fyr.core import hookimpl

TOLD = os.open("told", os.O_WRONLY)
ALLOWED = os.open("allowed", os.O_RDWR)

@hookimpl
def stored(new):
    if os.path.exists("limited"):
        os.read(ALLOWED, 1)
    os.write(TOLD, b".")
"""


@pytest.fixture
def store_url(new_store: Callable[[], str]) -> str:
    """A store for each test."""
    return new_store()


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    made = Told(tmp_path)
    yield made
    made.close()


#: Starts a process of a kind.
Start = Callable[[ExitStack, str], FyrProcess]


@pytest.fixture
def start(tmp_path: Path, told: Told, store_url: str) -> Start:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "telling.py").write_text(TELLING)
    settings = {
        "STORE__URL": store_url,
        "PLUGINS__ENABLED": str(PLUGINS).replace("'", '"'),
        "PLUGINS__FOLDER": str(tmp_path / "plugins"),
        "SERVER__WORKERS": "1",
        "EVENTS__LEASE_SECONDS": "2",
        "LOG__LEVEL": "error",
    }

    def one(stack: ExitStack, command: str) -> FyrProcess:
        return stack.enter_context(fyr_process(tmp_path, command, settings=settings))

    return one


@pytest.fixture
def world(tmp_path: Path, start: Start, store_url: str) -> Iterator[World]:
    options = {"store": {"url": store_url}, "plugins": {"enabled": PLUGINS}}
    clock = FakeClock(utc_now() - timedelta(days=1))
    with application(settings_with(options, tmp_path / "data"), clock) as built:
        made = World(built, clock)
        made.fill()
        yield made


def test_each_change_happens_once_though_servers_with_workers_are_killed(
    world: World, told: Told, start: Start
) -> None:
    chance, cut_short = random.Random(1), 0
    for _ in range(CUTS):
        with ExitStack() as stack:
            server = start(stack, "serve")
            if not (due := world.due()):
                break
            # Each timer stores one version at least.
            told.wait_for(chance.randint(1, min(due, FEW)))
            server.cut()
            told.forget()
            cut_short += world.due() > 0
    world.finish()

    assert cut_short >= 2
    assert_all_happened_once(world)


def test_each_change_happens_once_though_one_of_two_workers_is_killed(
    world: World, told: Told, start: Start
) -> None:
    """Its supervisor starts another, while the second one goes on."""
    chance, cut_short = random.Random(2), 0
    with ExitStack() as stack:
        with ThreadPoolExecutor(2) as pool:
            workers = list(pool.map(partial(start, stack), ("worker", "worker")))
        for _ in range(KILLS):
            if not (due := world.due()):
                break
            told.wait_for(chance.randint(1, min(due, FEW)))
            for pid in chance.choice(workers).children():
                # One that was killed before may be gone only now.
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            cut_short += world.due() > 0
        for one in workers:
            one.cut()
    world.finish()

    assert cut_short >= 2
    assert_all_happened_once(world)


def assert_all_happened_once(world: World) -> None:
    assert_states_and_teams(world)
    assert_reminders_and_tasks(world)
    assert_events(world)
    assert world.due() == 0
    assert world.built.timers.given_up() == []


def assert_states_and_teams(world: World) -> None:
    """Three versions: what was stored, with another team, at its end."""
    for kind, letter in (("EpisodeOfCare", "e"), ("CarePlan", "c")):
        changed = [one for one in world.found(kind) if one["id"][0] == letter]
        assert len(changed) == MANY
        assert {one["meta"]["versionId"] for one in changed} == {"3"}
        for one in changed:
            assert parts(one, "statusschedule") == parts(one, "teamschedule") == []
            assert states(one) == ENDS[kind]
            assert teams(one) == [to("CareTeam/old"), to("CareTeam/new")]


def parts(resource: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Tell the extensions with a name, each as its parts."""
    return [
        {part["url"]: part for part in one["extension"]}
        for one in resource.get("extension", ())
        if one["url"].endswith(name)
    ]


def states(resource: dict[str, Any]) -> list[str]:
    """Tell the history of states; only the last one lasts."""
    kept = [(one["status"], one["period"]) for one in resource.get("statusHistory", ())]
    for one in parts(resource, "statusHistory"):
        (coding,) = one["status"]["valueCodeableConcept"]["coding"]
        kept.append((coding["code"], one["period"]["valuePeriod"]))
    assert ["end" in period for _, period in kept] == [True, False]
    return [state for state, _ in kept]


def teams(resource: dict[str, Any]) -> list[dict[str, Any]]:
    """Tell the history of teams; all of them last."""
    kept = parts(resource, "teamHistory")
    assert not any("end" in one["period"]["valuePeriod"] for one in kept)
    return [one["careTeam"]["valueReference"] for one in kept]


def assert_reminders_and_tasks(world: World) -> None:
    tasks = Counter(one["focus"]["reference"] for one in world.found("Task"))
    assert tasks == {f"ServiceRequest/r{n}": 1 for n in range(MANY)}
    messages = Counter(
        (about["reference"], one["reasonCode"][0]["coding"][0]["code"])
        for one in world.found("Communication")
        for about in one.get("about", ())
        if about["reference"].startswith("ServiceRequest/")
    )
    assert len(messages) == 2 * MANY
    assert set(messages.values()) == {1}


def assert_events(world: World) -> None:
    """One for each version that there is, and one for each slot that was missed."""
    world.built.outbox.sequencer.advance()
    changes = list(world.built.outbox.tail(0))
    kinds = ("EpisodeOfCare", "CarePlan", "Task", "Communication")
    told = Counter(
        (one.type, one.id, one.version)
        for one in changes
        if one.topic == RESOURCE and one.type in kinds
    )
    assert told == {
        (kind, one["id"], version): 1
        for kind in kinds
        for one in world.found(kind)
        for version in range(1, int(one["meta"]["versionId"]) + 1)
    }
    missed = Counter(one.id for one in changes if one.topic == TOLD)
    assert missed == {f"r{n}": 1 for n in range(MANY)}
