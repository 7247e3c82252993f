"""From the write to what readers of the reporting index see, on the embedded adapter."""

from pathlib import Path

import pytest

from fyr.config.settings import Settings
from fyr.core.clock import to_millis
from fyr.core.errors import Unavailable
from fyr.core.events import DeadLetters
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.clock import FakeClock
from fyr.search import Search
from fyr.search.reporting.generations import NAME
from fyr.search.reporting.port import LONGEST_KEYWORD
from fyr.search.reporting.reporting import FILE
from fyr.search.reporting.verifying import Difference, verify

from .world import World, reporting_of, task

#: No index takes it.
TOO_LONG = "x" * (LONGEST_KEYWORD + 1)


def test_what_is_written_is_seen_once_it_was_delivered(world: World) -> None:
    one, other = world.create(task("ready")), world.create(task("draft"))
    assert world.seen() == {}

    world.drain()
    assert world.seen() == {one: "ready", other: "draft"}

    world.put(one, task("completed"))
    world.client.delete(f"Task/{other}")
    world.drain()
    assert world.seen() == {one: "completed"}
    assert world.differences() == []


def test_types_without_a_projection_are_left_out(world: World) -> None:
    world.create({"resourceType": "Basic", "code": {"text": "x"}})
    world.drain()

    generation = world.reporting.index.shown()
    assert generation is not None
    assert sum(world.reporting.index.counts(generation).values()) == 0


def test_what_was_stored_before_the_index_was_switched_on_is_in_it(
    settings: Settings,
) -> None:
    off = settings.model_copy(update={"reporting": type(settings.reporting)()})
    with application(off, FakeClock()) as app:
        before = client_of(app).create(task()).json["id"]
        gone = client_of(app).create(task()).json["id"]
        client_of(app).delete(f"Task/{gone}")
        app.worker().drain()
    with application(settings, FakeClock()) as app:
        world = World(app, FakeClock())
        after = world.create(task("draft"))
        world.drain()

        assert world.seen() == {before: "ready", after: "draft"}
        assert world.differences() == []


def test_without_a_url_nothing_runs_and_nothing_is_made(tmp_path: Path) -> None:
    with application(settings_with({}, tmp_path / "data"), FakeClock()) as app:
        app.worker().drain()

        assert not (tmp_path / "data" / FILE).exists()
        assert NAME not in app.relay.consumers
        (search,) = [p.target for p in app.plugins if isinstance(p.target, Search)]
        assert search.problem() == ""


def test_the_index_says_as_of_when_it_is(world: World) -> None:
    begun = to_millis(world.clock())
    assert world.reporting.as_of().moment == begun

    world.clock.advance(seconds=10)
    world.create(task())
    world.clock.advance(seconds=10)

    assert world.reporting.as_of().moment == begun + 10_000 - 1
    world.drain()
    assert world.reporting.as_of().moment == begun + 20_000


def test_an_index_that_is_not_made_yet_says_so(settings: Settings) -> None:
    with application(settings, FakeClock()) as app:
        with pytest.raises(Unavailable, match="is being made"):
            reporting_of(app).as_of()
        with pytest.raises(Unavailable, match="is being made"):
            verify(reporting_of(app))


def test_a_document_that_is_refused_is_a_dead_letter_and_stops_nothing(
    world: World,
) -> None:
    bad = world.create(task("ready", groupIdentifier={"value": "x"}))
    world.put(bad, task("draft", owner={"reference": f"https://else/{TOO_LONG}"}))
    good = [world.create(task()) for _ in range(5)]
    world.drain()

    assert world.seen() == dict.fromkeys(good, "ready")
    (dead,) = [
        one for one in DeadLetters(world.app.outbox).page() if one.consumer == NAME
    ][:1]
    assert f"Task/{bad} version 2: owner is longer than" in dead.error
    assert world.reporting.as_of().refused >= 1
    assert world.differences() == [Difference("Task", bad, 2, 0)]

    world.put(bad, task("completed"))
    world.drain()
    assert world.seen()[bad] == "completed"
    assert world.differences() == []
