"""Events, jobs and workers on both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from fyr.config.settings import Settings
from fyr.core.clock import to_millis
from fyr.core.events import Outbox
from fyr.core.store.open import open_database
from fyr.core.store.port import Database, NewVersion, Session, Stored
from fyr.core.store.resources import ResourceStore
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.contracts.events import EventsContract
from fyr.core.testing.contracts.jobs import JobsContract
from fyr.core.testing.contracts.killing import KilledWorkersContract
from fyr.core.testing.contracts.listening import Deployment, Listener, tell
from fyr.core.testing.contracts.working import WorkerContract


@pytest.fixture
def database(store_options: dict[str, Any]) -> Iterator[Database]:
    opened = open_database(Settings(**store_options))
    yield opened
    opened.close()


class OnSqlite:
    concurrent_writers = False

    @pytest.fixture
    def store_options(self, tmp_path: Path) -> dict[str, Any]:
        return {"data_dir": str(tmp_path), "store": {"url": "sqlite:///fyr.db"}}


class OnPostgresql:
    @pytest.fixture
    def store_options(self, postgresql_url: str) -> dict[str, Any]:
        return {"store": {"url": postgresql_url, "pool_size": 16}}


class TestEventsOnSqlite(OnSqlite, EventsContract):
    pass


class TestEventsOnPostgresql(OnPostgresql, EventsContract):
    pass


class TestJobsOnSqlite(OnSqlite, JobsContract):
    pass


class TestJobsOnPostgresql(OnPostgresql, JobsContract):
    pass


class TestWorkerOnSqlite(OnSqlite, WorkerContract):
    pass


class TestWorkerOnPostgresql(OnPostgresql, WorkerContract):
    pass


class TestKilledWorkersOnSqlite(OnSqlite, KilledWorkersContract):
    pass


class TestKilledWorkersOnPostgresql(OnPostgresql, KilledWorkersContract):
    pass


class StoredVersions:
    def test_a_stored_version_is_an_event_with_its_resources(
        self, database: Database
    ) -> None:
        resources = ResourceStore(database)

        def put(version: int, pid: int, body: bytes | None) -> Stored:
            method = "PUT" if body else "DELETE"
            new = NewVersion(
                "Patient", "1", version, 1500, method, body, pid, trace_id="trace"
            )
            (stored,) = database.write(lambda session: resources.put(session, [new]))
            return stored

        first = put(1, 0, b'{"resourceType":"Patient","id":"1"}')
        put(2, first.pid, None)
        changes = list(Outbox(database, resources).tail(0))

        assert [change.version for change in changes] == [1, 2]
        assert [change.trace_id for change in changes] == ["trace", "trace"]
        assert (
            changes[0].new == changes[1].old == {"resourceType": "Patient", "id": "1"}
        )
        assert changes[1].deleted
        assert changes[1].new is None


class TestStoredVersionsOnSqlite(OnSqlite, StoredVersions):
    pass


class TestStoredVersionsOnPostgresql(OnPostgresql, StoredVersions):
    pass


class TestOpenTransactionsOnPostgresql(OnPostgresql):
    """What was written before a moment, and is committed after it was asked about."""

    def test_they_are_waited_for_by_who_asks_whether_all_of_before_was_told(
        self, database: Database
    ) -> None:
        # The server goes by the real time.
        clock, listener = FakeClock(datetime.now(UTC)), Listener()
        fyr = Deployment(database, clock, [listener.consumer()])
        before = to_millis(clock()) - 3_600_000
        written, commit = Event(), Event()

        def write(session: Session) -> None:
            tell(session, "Patient/1", 1, clock)
            # It has reached the server.
            session.rows("SELECT 1")
            written.set()
            assert commit.wait(60)

        def has_told(moment: int) -> bool:
            fyr.worker.drain()
            return database.write(
                lambda session: fyr.outbox.has_told(session, "listener", moment)
            )

        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(database.write, write)
            assert written.wait(60)
            clock.advance(hours=1)
            moment = to_millis(clock())
            just_now = has_told(moment)
            clock.advance(minutes=1)
            open_ = has_told(moment), has_told(before)
            commit.set()
            writing.result(60)

        assert (just_now, open_) == (False, (False, True))
        assert has_told(moment)
        assert listener.told == [("Patient/1", 1)]
