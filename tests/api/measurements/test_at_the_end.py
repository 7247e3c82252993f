"""What is submitted at the very moment at which its episode of care, or order, ends.

It comes before the end, or is refused; never is it stored after it. Each test has one of
the two stand still within its transaction until the other has come as far as it can.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from types import ModuleType

import pytest

from fyr.core import hookimpl
from fyr.core.testing.applications import Events, application, settings_with
from fyr.core.testing.clock import FakeClock

_WAITING = """
    SELECT COUNT(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture
def store(store_url, tmp_path):
    """On each of the databases in turn; in memory there is one at a time."""
    return "sqlite:///fyr.db" if store_url == "sqlite://" else store_url


class Halting:
    """A plugin that does something in the transaction of a write; the first time only."""

    def __init__(self) -> None:
        self.plugin = ModuleType("halting")
        self._when: Callable[[dict], bool] = lambda new: False
        self._then: Callable[[], None] = lambda: None

        @hookimpl
        def stored(new):
            if self._when(new):
                self._when = lambda new: False
                self._then()

        self.plugin.stored = stored

    def at(self, when, then) -> None:
        self._when, self._then = when, then


@pytest.fixture
def halting() -> Halting:
    return Halting()


@pytest.fixture
def world(tmp_path, options, new_world, halting):
    options["plugins"]["enabled"].append("halting")
    settings = settings_with(options, tmp_path)
    plugins = {"halting": halting.plugin}
    with application(settings, FakeClock(), plugins) as built:
        yield new_world(built)


@contextmanager
def another(work):
    """Do something on another thread as soon as it is asked for."""
    with ThreadPoolExecutor(1) as pool:
        made: list[Future] = []
        yield lambda: made.append(pool.submit(work)), lambda: made[0]


def until_it_waits(built, future: Future) -> None:
    """Wait until the other one waits for this one, or is done without waiting.

    Where writers take turns, the other one cannot be seen to wait, and has to.
    """
    if built.database.dialect == "sqlite":
        return
    pause = Event()
    for _ in range(6000):
        if future.done() or built.database.rows(_WAITING)[0][0]:
            return
        pause.wait(0.01)
    raise TimeoutError


def ending(world, kind, order):
    """Give what ends the episode of care, or the order."""
    identity = world.episode if kind == "EpisodeOfCare" else order
    status = "finished" if kind == "EpisodeOfCare" else "completed"
    found = world.everything.get(f"{kind}/{identity}").json

    def end():
        answer = world.everything.update({**found, "status": status})
        assert answer.status == 200, answer.body

    return end, lambda new: new["resourceType"] == kind and new["status"] == status


@pytest.mark.parametrize("kind", ["EpisodeOfCare", "ServiceRequest"])
def test_an_end_waits_for_what_is_being_submitted(world, halting, kind) -> None:
    order = world.an_order(occurrencePeriod={"start": "2026-01-01T08:00:00+01:00"})
    end, _ = ending(world, kind, order)
    events = Events(world.built)
    events.new()
    early = []

    with another(end) as (begin, ended):

        def meanwhile() -> None:
            begin()
            until_it_waits(world.built, ended())
            early.append(ended().done())

        halting.at(lambda new: new["resourceType"] == "Provenance", meanwhile)
        answer = world.submit(world.observation(order))
        ended().result(60)

    assert answer.status == 200, answer.body
    assert early == [False]
    told = [one.type for one in events.new()]
    assert told.index("Observation") < told.index(kind)


@pytest.mark.parametrize("kind", ["EpisodeOfCare", "ServiceRequest"])
def test_what_is_submitted_while_an_end_is_being_made_is_refused(
    world, halting, refused, kind
) -> None:
    order = world.an_order(occurrencePeriod={"start": "2026-01-01T08:00:00+01:00"})
    end, is_ended = ending(world, kind, order)

    with another(lambda: world.submit(world.observation(order))) as (begin, submitted):

        def meanwhile() -> None:
            begin()
            until_it_waits(world.built, submitted())
            assert not submitted().done() or submitted().result().status == 422

        halting.at(is_ended, meanwhile)
        end()
        answer = submitted().result(60)

    assert [text for text, _ in refused(answer)] == [
        f"ServiceRequest {order} is not active."
    ]
    assert "Observation" not in world.stored()


def test_submissions_for_one_order_do_not_wait_for_each_other(world, halting) -> None:
    """The other one is answered within the first one's transaction."""
    order = world.an_order()
    if world.built.database.dialect == "sqlite":
        # Writers take turns there.
        assert world.submit(world.observation(order)).status == 200
        return

    with another(lambda: world.submit(world.observation(order))) as (begin, other):
        inside = []

        def meanwhile() -> None:
            begin()
            inside.append(other().result(60).status)

        halting.at(lambda new: new["resourceType"] == "Provenance", meanwhile)
        assert world.submit(world.observation(order)).status == 200

    assert inside == [200]
