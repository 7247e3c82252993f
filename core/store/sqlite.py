"""The SQLite adapter: https://sqlite.org/wal.html.

Readers never wait. Writers of this process share commits
(:mod:`fyr.core.store.group_commit`), writers of other processes take turns
(:mod:`fyr.core.store.turns`). A commit is on the disk when it is answered
(``synchronous=FULL``), but for a store that is thrown away anyway.
"""

import os
import sqlite3
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from fyr.core.errors import Conflict, FyrError, Invalid, TookTooLong, Unavailable
from fyr.core.store.deadlines import Deadlines
from fyr.core.store.group_commit import GroupCommit, Task
from fyr.core.store.port import Row, Session
from fyr.core.store.turns import Turns

T = TypeVar("T")

#: How long somebody who writes with another program is waited for.
_BUSY_SECONDS = 10.0
_SETUP = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = {synchronous};
    PRAGMA cache_size = -{cache_kib};
    PRAGMA temp_store = MEMORY;
    PRAGMA journal_size_limit = 67108864;
"""

_CONFLICTS = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
}
#: Primary result codes of a file or a disk that does not do what it should.
_DOWN = {
    sqlite3.SQLITE_BUSY: "another program keeps it locked",
    sqlite3.SQLITE_LOCKED: "another program keeps it locked",
    sqlite3.SQLITE_CANTOPEN: "its file cannot be opened",
    sqlite3.SQLITE_CORRUPT: "its file is damaged",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk fails",
    sqlite3.SQLITE_NOTADB: "its file is not a database",
    sqlite3.SQLITE_PERM: "its file cannot be opened",
    sqlite3.SQLITE_READONLY: "its file cannot be written to",
}


class SqliteSession:
    """A transaction, or a snapshot to read from."""

    __slots__ = ("_connection", "failure")

    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take the connection that the transaction runs on."""
        self._connection = connection
        #: the first error of a statement; as on PostgreSQL, nothing goes on after it
        self.failure: FyrError | None = None

    def rows(
        self, sql: str, params: Sequence[Any] = (), *, last: bool = False
    ) -> list[Row]:
        """Run a statement and fetch what it returns."""
        self.require()
        try:
            return self._connection.execute(sql, params).fetchall()
        except _ERRORS as error:
            self._fail(error)

    def run(self, sql: str, params: Sequence[Any] = ()) -> None:
        """Run a statement."""
        self.require()
        try:
            self._connection.execute(sql, params)
        except _ERRORS as error:
            self._fail(error)

    def run_many(self, sql: str, params: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""
        self.require()
        try:
            self._connection.executemany(sql, params)
        except _ERRORS as error:
            self._fail(error)

    def require(self) -> None:
        """Raise the error of an earlier statement, if there is one."""
        if self.failure is not None:
            raise self.failure

    def _fail(self, error: Exception) -> NoReturn:
        self.failure = told(error)
        raise self.failure from error


class SqliteDatabase:
    """One database file, shared by the threads of this process."""

    dialect = "sqlite"

    def __init__(self, path: Path | None) -> None:
        """Open the file, which is made when it is not there.

        :param path: ``None`` for a store that is thrown away when it is closed.
        :raises Unavailable: it cannot be opened.
        """
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        if path is None:
            self._folder = tempfile.TemporaryDirectory(prefix="fyr-")
            path = Path(self._folder.name) / "fyr.db"
        self._path = path
        self._synchronous = "OFF" if self._folder else "FULL"
        self._readers: deque[sqlite3.Connection] = deque()
        self._commits = GroupCommit(self._carry_out)
        self._deadlines = Deadlines()
        self._closed = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # What SQLite puts beside the file gets the same permissions.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._turns = Turns(path)
            with self._turns.turn():
                self._writer = self._connect(cache_kib=16_000)
        except OSError as error:
            raise Unavailable(f"{path} cannot be opened: {error.strerror}") from error
        except sqlite3.Error as error:
            self._turns.close()
            raise told(error) from error

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Read outside any transaction."""
        # Without a context manager, which takes a tenth of the time of a read by key.
        connection = self._lent()
        try:
            return connection.execute(sql, params).fetchall()
        except _ERRORS as error:
            raise told(error) from error
        finally:
            self._readers.append(connection)

    def ahead(self, reads: Sequence[tuple[str, Sequence[Any]]]) -> None:
        """Do nothing: a read goes nowhere."""

    def read(self, work: Callable[[Session], T], *, seconds: float = 0.0) -> T:
        """Run ``work`` on one snapshot, which begins with its first statement."""
        with self._reading() as connection:
            if not seconds:
                return _on_snapshot(connection, work)
            with self._deadlines.within(seconds, connection.interrupt):
                return _on_snapshot(connection, work)

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in a transaction, together with what others have waiting."""
        return self._commits.submit(work)

    def health(self) -> str:
        """Tell what is wrong, if anything is."""
        try:
            self.rows("SELECT 1 FROM sqlite_master LIMIT 1")
        except FyrError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Close the file; a store that is thrown away is gone after it."""
        if self._closed:
            return
        self._closed = True
        self._deadlines.close()
        while self._readers:
            self._readers.pop().close()
        self._writer.close()
        self._turns.close()
        if self._folder:
            self._folder.cleanup()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        connection = self._lent()
        try:
            yield connection
        finally:
            self._readers.append(connection)

    def _lent(self) -> sqlite3.Connection:
        try:
            return self._readers.pop()
        except IndexError:
            return self._reader()

    def _reader(self) -> sqlite3.Connection:
        try:
            connection = self._connect(cache_kib=4_000)
            connection.execute("PRAGMA query_only = ON")
        except sqlite3.Error as error:
            raise told(error) from error
        return connection

    def _connect(self, *, cache_kib: int) -> sqlite3.Connection:
        if self._closed:
            raise Unavailable("the store is closed")
        connection = sqlite3.connect(
            self._path,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=512,
        )
        connection.executescript(
            _SETUP.format(synchronous=self._synchronous, cache_kib=cache_kib)
        )
        return connection

    def _carry_out(self, batch: list[Task[Any]]) -> None:
        """Commit a batch; a work that fails takes back its own changes only."""
        if self._closed:
            raise Unavailable("the store is closed")
        with self._turns.turn():
            try:
                self._transact(batch)
            except _ERRORS as error:
                self._lost(batch, error)

    def _transact(self, batch: list[Task[Any]]) -> None:
        connection = self._writer
        connection.execute("BEGIN IMMEDIATE")
        if len(batch) == 1:
            if not _carried_out(batch[0], connection):
                self._roll_back()
                return
        else:
            for task in batch:
                connection.execute("SAVEPOINT work")
                if not _carried_out(task, connection):
                    connection.execute("ROLLBACK TO work")
                connection.execute("RELEASE work")
        connection.execute("COMMIT")

    def _lost(self, batch: list[Task[Any]], error: Exception) -> None:
        """Tell everybody whose work was undone because the whole could not be kept."""
        self._roll_back()
        for task in batch:
            task.error = task.error or told(error)

    def _roll_back(self) -> None:
        # A full disk and the like have SQLite end the transaction by itself.
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")


def _on_snapshot(connection: sqlite3.Connection, work: Callable[[Session], T]) -> T:
    connection.execute("BEGIN")
    try:
        return work(SqliteSession(connection))
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


#: What the driver raises for statements and for values that it cannot pass on.
_ERRORS = (sqlite3.Error, OverflowError, UnicodeEncodeError)


def _carried_out(task: Task[Any], connection: sqlite3.Connection) -> bool:
    """Do one work and tell whether it is to be kept."""
    session = SqliteSession(connection)
    try:
        task.carry_out(session)
        session.require()
    except BaseException as error:
        task.error = error
        return False
    return True


def told(error: Exception) -> FyrError:
    """Tell what a driver's exception means here."""
    if isinstance(error, OverflowError | UnicodeEncodeError):
        return Invalid("a number or a text is none that can be stored")
    code = getattr(error, "sqlite_errorcode", 0)
    if code in _CONFLICTS:
        return Conflict("it is there already")
    if reason := _DOWN.get(code & 0xFF):
        return Unavailable(f"the database cannot be used: {reason}")
    if code == sqlite3.SQLITE_INTERRUPT:
        return TookTooLong("it takes the database too long: ask for less at a time")
    if code == sqlite3.SQLITE_TOOBIG:
        return Invalid("it is larger than what can be stored")
    return FyrError("the database refused a statement")
