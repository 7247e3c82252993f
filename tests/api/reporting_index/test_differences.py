"""The reporting index is lost, is told again, is compared."""

import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fyr.config.settings import Settings
from fyr.core.cli import main
from fyr.core.errors import Unavailable
from fyr.core.events import replay
from fyr.core.testing.applications import application, client_of
from fyr.core.testing.clock import FakeClock
from fyr.search.reporting.embedded import EmbeddedIndex
from fyr.search.reporting.generations import NAME
from fyr.search.reporting.reporting import FILE
from fyr.search.reporting.verifying import verify

from .world import More, World, task


def test_an_index_that_is_lost_is_made_anew(world: World) -> None:
    one = world.create(task())
    world.drain()
    world.reporting.index.drop(1)

    other = world.create(task("draft"))
    world.drain()

    assert world.seen() == {one: "ready", other: "draft"}
    assert world.reporting.index.generations() == [2]
    assert world.differences() == []


def test_an_old_generation_that_is_not_there_is_not_missed(
    settings: Settings,
) -> None:
    with application(settings, FakeClock()) as app:
        World(app, FakeClock()).drain()
    for file in settings.data_dir.glob(f"{FILE}*"):
        file.unlink()
    # Another plugin wants another index; the one before is gone with the file.
    with application(settings, FakeClock(), {"more": More}) as app:
        world = World(app, FakeClock())
        for _ in range(3):
            world.create(task())
            app.relay.outbox.sequencer.advance()
            app.relay.deliver(NAME, threading.Event())
        states = [one.state for one in world.reporting.generations.all()]
        assert states == ["old", "wanted"]
        world.drain()

        assert len(world.seen()) == 3
        assert [one.number for one in world.reporting.generations.all()] == [2]


def test_a_file_that_is_lost_is_made_anew_by_whoever_asks(settings: Settings) -> None:
    with application(settings, FakeClock()) as app:
        one = World(app, FakeClock()).create(task())
        World(app, FakeClock()).drain()
    for file in settings.data_dir.glob(f"{FILE}*"):
        file.unlink()
    with application(settings, FakeClock()) as app:
        world = World(app, FakeClock())
        with pytest.raises(Unavailable, match="is being made"):
            world.reporting.as_of()
        world.drain()

        assert world.seen() == {one: "ready"}


def test_an_index_that_missed_events_is_made_anew(settings: Settings) -> None:
    clock = FakeClock()
    with application(settings, clock) as app:
        World(app, clock).drain()
    off = settings.model_copy(update={"reporting": type(settings.reporting)()})
    with application(off, clock) as app:
        ids = [client_of(app).create(task()).json["id"] for _ in range(3)]
        clock.advance(days=90)
        app.worker().drain()
        client_of(app).create(task())
        clock.advance(days=90)
        app.worker().drain()
        assert app.outbox.trimmed() > 0
    with application(settings, clock) as app:
        world = World(app, clock)
        world.drain()

        assert set(world.seen()) > set(ids)
        assert world.differences() == []


def test_told_again_of_everything_the_index_stays_as_it_is(world: World) -> None:
    one = world.create(task())
    world.put(one, task("completed"))
    gone = world.create(task())
    world.client.delete(f"Task/{gone}")
    world.drain()
    before = world.seen()

    replay(world.app.outbox, NAME, 0)
    world.drain()

    assert world.seen() == before == {one: "completed"}


def test_differences_are_named(world: World) -> None:
    old, missing, extra = (world.create(task()) for _ in range(3))
    world.put(old, task("completed"))
    world.drain()
    index = world.reporting.index
    assert isinstance(index, EmbeddedIndex)

    def spoil(session: Any) -> None:
        session.run('UPDATE "Task_1" SET version = 1 WHERE id = ?', (old,))
        session.run('DELETE FROM "Task_1" WHERE id = ?', (missing,))
        session.run('UPDATE "Task_1" SET id = ? WHERE id = ?', ("zz", extra))

    index.database.write(spoil)

    assert sorted(map(str, world.differences())) == sorted(
        [
            f"Task/{old}: the index has version 1, the store 2",
            f"Task/{missing}: version 1 is missing in the index",
            f"Task/{extra}: version 1 is missing in the index",
            "Task/zz: is in the index (version 1) and not stored",
        ]
    )


def test_what_is_on_its_way_is_no_difference(world: World) -> None:
    one = world.create(task())
    world.drain()
    world.clock.advance(seconds=5)
    world.put(one, task("draft"))
    world.create(task())

    (found,) = [one for one in verify(world.reporting) if one.type == "Task"]

    assert (found.stored, found.indexed) == (2, 1)
    assert (found.waiting, found.differences) == (2, [])


def test_the_command_line_tells_compares_and_rebuilds(
    world: World, tmp_path: Path
) -> None:
    world.create(task())
    world.drain()
    settings = world.app.settings
    file = tmp_path / "fyr.toml"
    file.write_text(
        f'data_dir = "{settings.data_dir}"\n'
        f'[store]\nurl = "{settings.store.url}"\n'
        '[reporting]\nurl = "embedded"\n[security]\nmode = "open"\n'
        '[log]\nlevel = "error"\n'
    )

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(
            main, ["--config", str(file), "reporting", *arguments]
        )
        return done.exit_code, done.output

    status, told = run("status")
    assert status == 0
    assert "Index: embedded, answers" in told
    assert "Generation 1: shown" in told
    assert "Task: 1" in told
    status, told = run("verify")
    assert status == 0
    assert "Task: 1 stored, 1 in the index, 0 differ, 0 on their way" in told

    assert "has been submitted" in run("rebuild")[1]
    assert "Generation 2: wanted" in run("status")[1]
    # What the command has submitted is due by the machine's clock.
    world.clock.advance(days=36_500)
    world.drain()
    assert "Generation 2: shown" in run("status")[1]

    index = world.reporting.index
    assert isinstance(index, EmbeddedIndex)
    index.database.write(lambda session: session.run('DELETE FROM "Task_2"'))
    status, told = run("verify")
    assert status == 1
    assert "version 1 is missing in the index" in told
    assert "1 resources differ: `fyr events dead` has what the index refused" in told
