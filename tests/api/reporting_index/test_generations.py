"""The reporting index is made anew: a generation beside the one that is read."""

import threading

import pytest

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core import Column, Projection, hookimpl
from fyr.core.events import DeadLetters
from fyr.core.testing.applications import application
from fyr.core.testing.clock import FakeClock
from fyr.search.reporting.embedded import EmbeddedIndex
from fyr.search.reporting.generations import NAME

from .world import More, World, reporting_of, task


def test_a_rebuild_fills_another_generation_and_drops_the_one_before(
    world: World,
) -> None:
    ids = [world.create(task()) for _ in range(3)]
    world.drain()
    before = world.reporting.index.generations()

    world.anew()
    world.create(task("draft"))
    world.drain()

    assert before == [1]
    assert world.reporting.index.generations() == [2]
    assert [one.state for one in world.reporting.generations.all()] == ["shown"]
    assert set(world.seen()) > set(ids)
    assert world.differences() == []


def test_readers_see_everything_all_the_time_while_the_index_is_made_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fyr.search.reporting.rebuilding._PAGE", 5)
    ids = [world.create(task()) for _ in range(40)]
    world.drain()
    stop, rounds, changed = threading.Event(), 0, 0
    worker = world.app.worker()
    working = threading.Thread(target=worker.run, args=(stop,))
    working.start()
    try:
        # As often again as it was made anew too fast for a change meanwhile.
        while rounds < 3 or changed <= 3:
            job = world.anew()
            rounds += 1
            while world.app.jobs.state(job).finished is None:
                world.put(
                    ids[changed % 40], task("completed", description=str(changed))
                )
                world.client.delete(f"Task/{world.create(task('draft'))}")
                changed += 1
                assert set(world.seen()) >= set(ids)
    finally:
        stop.set()
        worker.wake()
        working.join()
    world.drain()

    assert world.differences() == []
    assert set(world.seen()) == set(ids)


class Twice(More):
    """Adds one that is there already."""

    @hookimpl
    def register_projections(self):
        yield Projection("Task", (Column("status", "keyword", "intent", "Intent."),))


def test_other_projections_make_the_index_anew_and_the_old_one_is_fed_meanwhile(
    settings: Settings,
) -> None:
    grouped = task(groupIdentifier={"system": "urn:g", "value": "1"})
    with application(settings, FakeClock()) as app:
        first = World(app, FakeClock())
        first.drain()
        one = first.create(grouped)
        first.drain()
    with application(settings, FakeClock(), {"more": More}) as app:
        world = World(app, FakeClock())
        other = world.create(grouped)
        # Only what is to be delivered; the job that makes the index anew waits.
        app.relay.outbox.sequencer.advance()
        app.relay.deliver(NAME, threading.Event())
        assert world.seen() == {one: "ready", other: "ready"}

        world.drain()
        index = world.reporting.index
        assert isinstance(index, EmbeddedIndex)
        assert dict(index.rows('SELECT id, note FROM "Task"')) == {
            one: "urn:g|1",
            other: "urn:g|1",
        }
        assert DeadLetters(app.outbox).page() == []


def test_a_process_with_other_projections_leaves_the_index_alone(
    settings: Settings,
) -> None:
    clock = FakeClock()
    with application(settings, clock) as old:
        World(old, clock).drain()
        with application(settings, clock, {"more": More}) as new:
            world = World(new, clock)
            World(old, clock).create(task())
            old.relay.outbox.sequencer.advance()
            old.relay.deliver(NAME, threading.Event())
            assert "of another kind" in reporting_of(old).problem()

            clock.advance(seconds=60)
            world.drain()
            assert len(world.seen()) == 1
            assert world.differences() == []


def test_a_column_that_is_there_already_stops_the_start(settings: Settings) -> None:
    with (
        pytest.raises(ConfigError, match="Task: two columns named status"),
        application(settings, FakeClock(), {"twice": Twice}),
    ):
        pass
