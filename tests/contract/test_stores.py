"""Both databases keep the contract of the store; what is special about each."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fyr.config.settings import Settings
from fyr.core.errors import Unavailable
from fyr.core.store.open import open_database
from fyr.core.store.port import Database, Session
from fyr.core.store.resources import ResourceStore
from fyr.core.testing.contracts.resources import version
from fyr.core.testing.contracts.store import DatabaseContract, ResourceStoreContract
from fyr.core.testing.contracts.threads import at_once
from fyr.core.testing.postgres import Postgres, available, running_postgres
from fyr.core.testing.servers import absent

Opening = Callable[[], Database]

#: Stores one resource after the other and tells each that has been committed.
WRITER = """
import sys
from fyr.config.settings import Settings
from fyr.core.store.open import open_database
from fyr.core.store.resources import ResourceStore
from fyr.core.testing.contracts.resources import INDEX, version

store = ResourceStore(open_database(Settings.model_validate_json(sys.argv[1])))
for number in range(1000000):
    new = version(f"Patient/{number}", index=INDEX)
    store.database.write(lambda session: store.put(session, [new]))
    print(number, flush=True)
"""


def killed_after(settings: Settings, count: int) -> int:
    """Kill a writing process in the middle; tell what it told last."""
    command = [sys.executable, "-c", WRITER, settings.model_dump_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for _ in range(count):
            writer.stdout.readline()
        writer.kill()
        told = writer.stdout.read().split()
    return int(told[-1]) if told else count - 1


def whole(database: Database) -> int:
    """Tell how many resources there are, each with all that belongs to it."""
    tables = ("resource", "outbox", "idx_date", "idx_uri")
    counts = {database.rows(f"SELECT COUNT(*) FROM {one}")[0][0] for one in tables}
    assert len(counts) == 1
    return int(counts.pop())


def ids(store: ResourceStore) -> list[str]:
    return sorted(one.id for one in store.history(count=100))


class OnSqlite:
    concurrent_writers = False

    @pytest.fixture
    def settings(self, tmp_path: Path) -> Settings:
        return Settings(data_dir=tmp_path, store={"url": "sqlite:///fyr.db"})

    @pytest.fixture
    def opening(self, settings: Settings) -> Opening:
        return lambda: open_database(settings)


class OnPostgresql:
    @pytest.fixture
    def settings(self, postgresql_url: str) -> Settings:
        return Settings(store={"url": postgresql_url, "retries": 6})

    @pytest.fixture
    def opening(self, settings: Settings) -> Opening:
        return lambda: open_database(settings)


class TestSqlite(OnSqlite, DatabaseContract):
    def test_a_process_that_is_killed_has_kept_what_it_told(
        self, settings: Settings, opening: Opening
    ) -> None:
        last = killed_after(settings, 20)
        database = opening()

        assert whole(database) >= last + 1
        database.close()

    def test_a_store_to_be_thrown_away_leaves_no_file(self) -> None:
        database = open_database(Settings(store={"url": "sqlite://"}))
        folder = Path(database.rows("PRAGMA database_list")[0][2]).parent
        there = folder.exists()
        database.close()

        assert there
        assert not folder.exists()

    def test_a_file_that_is_no_database_is_told(
        self, settings: Settings, opening: Opening
    ) -> None:
        (settings.data_dir / "fyr.db").write_bytes(b"not a database" * 1000)

        with pytest.raises(Unavailable, match="not a database"):
            opening()

    def test_a_program_that_keeps_the_file_locked_is_waited_for(
        self, settings: Settings, opening: Opening
    ) -> None:
        store = ResourceStore(opening())
        other = sqlite3.connect(settings.data_dir / "fyr.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        read = store.read("Patient", "1")
        other.execute("COMMIT")
        other.close()
        store.database.write(lambda session: store.put(session, [version("Patient/1")]))

        assert read is None
        assert store.count() == 1
        store.database.close()

    def test_files_of_the_store_are_for_its_user_alone(
        self, settings: Settings, opening: Opening
    ) -> None:
        opening().close()

        for file in settings.data_dir.glob("fyr.db*"):
            assert file.stat().st_mode & 0o077 == 0, file.name


class TestPostgresql(OnPostgresql, DatabaseContract):
    def test_a_process_that_is_killed_has_kept_what_it_told(
        self, settings: Settings, opening: Opening
    ) -> None:
        last = killed_after(settings, 20)
        database = opening()

        assert whole(database) >= last + 1
        database.close()

    def test_a_list_of_small_numbers_does_not_limit_the_lists_after_it(
        self, database: Database
    ) -> None:
        asked = "SELECT max(one) FROM unnest(CAST(? AS BIGINT[])) AS given(one)"
        largest = [2**15 - 1, 2**15, 2**31, 2**62]

        # In a transaction all of them take one connection.
        found = database.read(
            lambda session: [session.rows(asked, ([1, one],)) for one in largest]
        )

        assert [rows[0][0] for rows in found] == largest

    def test_more_writers_than_connections_wait_for_each_other(
        self, settings: Settings
    ) -> None:
        few = settings.store.model_copy(update={"pool_size": 1})
        database = open_database(settings.model_copy(update={"store": few}))

        # The one who writes reads beside its transaction, with a second connection.
        rows = database.write(lambda session: database.rows("SELECT 1"))

        assert rows == [(1,)]
        database.close()

    def test_a_server_that_is_not_there_is_told_at_the_start(self) -> None:
        url = "postgresql://nobody@127.0.0.1:1/nothing"

        with pytest.raises(Unavailable, match="cannot be reached"):
            open_database(Settings(store={"url": url}))


class TestPostgresqlGoesAway:
    @pytest.fixture
    def server(self) -> Iterator[Postgres]:
        why = available()
        if why or os.environ.get("FYR_TEST_POSTGRESQL_URL"):
            absent("postgresql", why or "a server of one's own is needed, to kill it")
        with running_postgres() as server:
            yield server

    def test_it_is_told_and_back_again_without_a_restart_of_ours(
        self, server: Postgres
    ) -> None:
        database = open_database(Settings(store={"url": server.new_database()}))
        store = ResourceStore(database)
        for number in range(5):
            new = version(f"Patient/{number}")
            database.write(lambda session, new=new: store.put(session, [new]))
        server.stop(signal.SIGQUIT)
        health = database.health()
        with pytest.raises(Unavailable):
            database.write(lambda session: store.put(session, [version("Patient/x")]))
        with pytest.raises(Unavailable):
            store.read("Patient", "1")
        server.start()

        assert health == "the database cannot be reached"
        assert database.health() == ""
        assert store.count() == 5
        database.write(lambda session: store.put(session, [version("Patient/5")]))
        assert ids(store) == [str(number) for number in range(6)]
        database.close()

    def test_connections_of_before_a_restart_are_not_used_after_it(
        self, server: Postgres
    ) -> None:
        database = open_database(Settings(store={"url": server.new_database()}))
        store = ResourceStore(database)
        # From here on a create is one trip, of which nobody knows how far it came.
        database.write(lambda session: store.put(session, [version("Patient/x")]))
        together = threading.Barrier(4)
        at_once(lambda _: database.read(lambda _: together.wait(60)), range(4))
        server.stop(signal.SIGQUIT)
        server.start()
        new = [version(f"Patient/{number}") for number in range(4)]
        outcomes = at_once(
            lambda one: len(database.write(lambda s: store.put(s, [one]))), new
        )

        assert outcomes == [1] * 4
        database.close()

    def test_a_transaction_that_is_cut_off_before_its_commit_runs_again(
        self, server: Postgres
    ) -> None:
        database = open_database(Settings(store={"url": server.new_database()}))
        store = ResourceStore(database)
        attempts: list[int] = []

        def work(session: Session) -> None:
            store.put(session, [version("Patient/1")])
            (pid,) = session.rows("SELECT pg_backend_pid()")[0]
            attempts.append(pid)
            if len(attempts) == 1:
                database.rows(f"SELECT pg_terminate_backend({pid}, 60000)")
            session.rows("SELECT 1")

        database.write(work)

        assert len(attempts) == 2
        assert store.count() == 1
        database.close()


class TestResourcesOnSqlite(OnSqlite, ResourceStoreContract):
    pass


class TestResourcesOnPostgresql(OnPostgresql, ResourceStoreContract):
    pass
