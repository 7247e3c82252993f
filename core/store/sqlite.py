"""SQLite behind the store's port: WAL, many readers, one group-committing writer.

Several writers starve each other in SQLite for seconds, so a process has one writer
thread: it takes all works that wait, runs each in a savepoint, commits once and answers
them together. Processes take turns by a lock on a file beside the database.
"""

from __future__ import annotations

import fcntl
import queue
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from fyr.core.errors import Conflict, FyrError, Unavailable
from fyr.core.store.port import Row, Session

T = TypeVar("T")

#: Works that share one commit.
GROUP = 64
_BUSY_MILLIS = 30_000


class _Session:
    """A transaction on one connection."""

    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(sql, params).fetchall()

    def run(self, sql: str, params: Sequence[Any] = ()) -> None:
        self._connection.execute(sql, params)

    def run_many(self, sql: str, params: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(sql, params)


class SqliteDatabase:
    """A SQLite file; ``path`` of ``None`` is thrown away at ``close``."""

    dialect = "sqlite"

    def __init__(self, path: Path | None) -> None:
        """Open the file and start the writer.

        :raises Unavailable: the file cannot be opened.
        """
        self._folder = None if path else Path(tempfile.mkdtemp(prefix="fyr-"))
        self._path = path or self._folder / "fyr.db"  # type: ignore[operator]
        self._synchronous = "OFF" if self._folder else "FULL"
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._readers_lock = threading.Lock()
        self._works: queue.SimpleQueue[
            tuple[Callable[[Session], Any], Future[Any]] | None
        ]
        self._works = queue.SimpleQueue()
        self._closed = False
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._writing = self._connect()
            self._lock_file = open(f"{self._path}-turn", "w")
        except (OSError, sqlite3.Error) as error:
            raise Unavailable(
                f"the store {self._path} cannot be opened: {error}"
            ) from None
        self._writer = threading.Thread(
            target=self._write_all, name="fyr-writer", daemon=True
        )
        self._writer.start()

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Read outside any transaction."""
        try:
            return self._reader().execute(sql, params).fetchall()
        except sqlite3.Error as error:
            raise _told(error) from error

    def read(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` on one snapshot."""
        connection = self._reader()
        try:
            connection.execute("BEGIN")
            try:
                return work(_Session(connection))
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise _told(error) from error

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` on the writer thread and wait for its commit."""
        if threading.current_thread() is self._writer:
            raise RuntimeError("a write inside a write: use the session that is there")
        if self._closed:
            raise Unavailable("the store is closed")
        done: Future[T] = Future()
        self._works.put((work, done))
        return done.result()

    def health(self) -> str:
        """Tell what is wrong, if anything."""
        try:
            self.rows("SELECT 1")
        except FyrError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Let the writer finish and close every connection."""
        if self._closed:
            return
        self._closed = True
        self._works.put(None)
        self._writer.join()
        for connection in [*self._readers, self._writing]:
            connection.close()
        self._lock_file.close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path,
            timeout=_BUSY_MILLIS / 1000,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -16000")
        return connection

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            with self._readers_lock:
                self._readers.append(connection)
        return connection

    def _write_all(self) -> None:
        while True:
            first = self._works.get()
            if first is None:
                return
            group = [first]
            last = False
            while len(group) < GROUP and not last:
                try:
                    following = self._works.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    last = True
                else:
                    group.append(following)
            self._commit(group)
            if last:
                return

    def _commit(
        self, group: list[tuple[Callable[[Session], Any], Future[Any]]]
    ) -> None:
        answers: list[tuple[Future[Any], Any, BaseException | None]] = []
        fcntl.flock(self._lock_file, fcntl.LOCK_EX)
        try:
            self._writing.execute("BEGIN IMMEDIATE")
            for work, done in group:
                answers.append((done, *self._one(work)))
            self._writing.execute("COMMIT")
        except sqlite3.Error as error:
            if self._writing.in_transaction:
                self._writing.execute("ROLLBACK")
            answers = [(done, None, _told(error)) for _, done in group]
        finally:
            fcntl.flock(self._lock_file, fcntl.LOCK_UN)
        for done, result, failure in answers:
            if failure is None:
                done.set_result(result)
            else:
                done.set_exception(failure)

    def _one(self, work: Callable[[Session], Any]) -> tuple[Any, BaseException | None]:
        self._writing.execute("SAVEPOINT work")
        try:
            result = work(_Session(self._writing))
        except sqlite3.Error as error:
            self._undo()
            return None, _told(error)
        except BaseException as error:
            self._undo()
            return None, error
        self._writing.execute("RELEASE work")
        return result, None

    def _undo(self) -> None:
        self._writing.execute("ROLLBACK TO work")
        self._writing.execute("RELEASE work")


def _told(error: sqlite3.Error) -> FyrError:
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(f"another writer was faster: {error}")
    return Unavailable(f"the store does not answer: {error}")
