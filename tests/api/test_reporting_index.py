"""The reporting index from the write to what readers see, on the embedded adapter.

The real Elasticsearch is in ``tests/services/test_elasticsearch.py``; what both adapters
promise, in ``tests/contract/test_reporting_indexes.py``.
"""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core import Column, Manifest, Plugin, Projection, hookimpl
from fyr.core.app import Application
from fyr.core.cli import main
from fyr.core.clock import to_millis
from fyr.core.errors import Unavailable
from fyr.core.events import DeadLetters, replay
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.search import Search
from fyr.search.reporting.embedded import EmbeddedIndex
from fyr.search.reporting.generations import NAME
from fyr.search.reporting.port import LONGEST_KEYWORD
from fyr.search.reporting.reporting import FILE, Reporting
from fyr.search.reporting.verifying import Difference, verify

#: No index takes it.
TOO_LONG = "x" * (LONGEST_KEYWORD + 1)


def reporting_of(app: Application) -> Reporting:
    (search,) = [one.target for one in app.plugins if isinstance(one.target, Search)]
    assert search.reporting is not None
    return search.reporting


def task(status: str = "ready", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Task", "status": status, "intent": "order", **more}


class World:
    """An application with an index, and what readers see of it."""

    def __init__(self, app: Application, clock: FakeClock) -> None:
        self.app = app
        self.clock = clock
        self.client: Client = client_of(app)
        self.reporting = reporting_of(app)

    def drain(self) -> None:
        self.app.worker().drain()

    def create(self, resource: dict[str, Any]) -> str:
        answer = self.client.create(resource)
        assert answer.status == 201
        return str(answer.json["id"])

    def put(self, id: str, resource: dict[str, Any]) -> None:
        assert self.client.update({**resource, "id": id}).status in (200, 201)

    def seen(self) -> dict[str, str]:
        """Status of each Task that readers see, by id."""
        index = self.reporting.index
        assert isinstance(index, EmbeddedIndex)
        return dict(index.rows('SELECT id, status FROM "Task"'))

    def differences(self) -> Sequence[Difference]:
        return [d for one in verify(self.reporting) for d in one.differences]

    def anew(self) -> str:
        return self.app.database.write(self.reporting.generations.want)


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = f"sqlite:///{tmp_path}/fyr.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").new_schema()
    options = {
        "store": {"url": url},
        "reporting": {"url": "embedded"},
        # One try and a dead letter.
        "events": {"attempts": 1},
    }
    return settings_with(options, tmp_path / "data")


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    clock = FakeClock()
    with application(settings, clock) as app:
        made = World(app, clock)
        made.drain()
        yield made


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


class More(Plugin):
    """Adds a column to the tasks of another plugin."""

    manifest = Manifest("Adds a column.")

    @hookimpl
    def register_projections(self):
        yield Projection("Task", (Column("note", "keyword", "groupIdentifier", "N."),))


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
