"""The PostgreSQL adapter: https://www.postgresql.org/docs/current/mvcc.html.

What a transaction runs is sent when something is read, or with the commit: a write
that reads nothing is one trip to the server. Isolation is READ COMMITTED; who changes
what it has read locks it. A transaction that loses a race is run again.
"""

import random
import re
import time
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from threading import local
from typing import Any, NoReturn, TypeVar

import psycopg
from psycopg import errors

from fyr.core.errors import Conflict, FyrError, Invalid, TookTooLong, Unavailable
from fyr.core.store.connections import Connections
from fyr.core.store.deadlines import Deadlines
from fyr.core.store.port import Row, Session
from fyr.core.store.wire import STALE, Statement, Wire

T = TypeVar("T")

#: Another transaction was faster; to run the same again may succeed.
RACES = (
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.UniqueViolation,
    errors.LockNotAvailable,
    # Two that create the same table, which IF NOT EXISTS does not see.
    errors.DuplicateObject,
    errors.DuplicateTable,
)
#: The server ends, or begins, or the connection is gone; errors of the driver itself
#: have no code.
LOST = ("57P01", "57P02", "57P03", "25P03", None)
#: First and longest wait before a repeat, in seconds.
_PAUSE, _LONGEST_PAUSE = 0.002, 0.5

#: Rows of one statement, largest first: few different ones to prepare, but one for the
#: rows that a single resource has in a table.
_ROWS_AT_ONCE = (64, 16, 8, 7, 6, 5, 4, 3, 2, 1)
#: An insert of one row, of marks and of words in quotes.
_INSERT = re.compile(
    r"\s*(INSERT\s+INTO\s[^?']*?\sVALUES\s*)(\((?:[^()']|'\w*')*\))\s*", re.IGNORECASE
)


class GivenUp(Exception):
    """The server has given up a transaction; seen by work, never outside a write.

    Not a :class:`FyrError`, so that nobody who gathers those keeps it.
    """

    def __init__(self, error: psycopg.Error) -> None:
        """Take what the driver says."""
        self.error = error
        super().__init__(str(error))


class PostgresqlSession:
    """A transaction; what is only run waits until something is read."""

    __slots__ = ("_waiting", "_wire", "committing", "failure")

    dialect = "postgresql"

    def __init__(self, wire: Wire, begin: str) -> None:
        """Take a connection, and the statement that begins the transaction."""
        self._wire = wire
        self._waiting: list[Statement] = [(begin, ())]
        #: why the server has given up, if it has
        self.failure: psycopg.Error | None = None
        #: whether the commit has been sent
        self.committing = False

    def rows(
        self, sql: str, params: Sequence[Any] = (), *, last: bool = False
    ) -> list[Row]:
        """Run a statement, after all that waits, and fetch what it returns."""
        self._waiting.append((sql, params))
        return self._send()

    def run(self, sql: str, params: Sequence[Any] = ()) -> None:
        """Run a statement before the next one that is read, or at the commit."""
        self._waiting.append((sql, params))

    def run_many(self, sql: str, params: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""
        rows = list(params)
        insert = _insert(sql)
        if insert is None:
            self._waiting += [(sql, row) for row in rows]
            return
        start = 0
        for size in _ROWS_AT_ONCE:
            while len(rows) - start >= size:
                part = rows[start : start + size]
                values = [value for row in part for value in row]
                self._waiting.append((insert(size), values))
                start += size

    def commit(self) -> None:
        """Run what waits and end the transaction."""
        self.committing = True
        self._waiting.append(("COMMIT", ()))
        self._send()

    def _send(self) -> list[Row]:
        if self.failure is not None:
            # Somebody has caught it, which brings nothing back.
            raise GivenUp(self.failure)
        waiting, self._waiting = self._waiting, []
        try:
            return self._wire.execute(waiting)
        except psycopg.Error as error:
            self.failure = error
            raise GivenUp(error) from error


class _Snapshot(PostgresqlSession):
    """A transaction that only reads; one statement alone needs none."""

    __slots__ = ("_alone",)

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        self._alone = False

    def rows(
        self, sql: str, params: Sequence[Any] = (), *, last: bool = False
    ) -> list[Row]:
        if self._alone:
            raise RuntimeError("a statement after the one that was said to be the last")
        if last and len(self._waiting) == 1:
            # What waits is the BEGIN: leaving it out saves it and a trip for its end.
            self._waiting.clear()
            self._alone = True
        return super().rows(sql, params)

    def commit(self) -> None:
        if not self._alone:
            super().commit()


class _Ahead(local):
    """What a thread has fetched before it needs it: statement, parameters, rows."""

    def __init__(self) -> None:
        self.found: dict[str, dict[tuple[Any, ...], list[Row]]] = {}


class PostgresqlDatabase:
    """A PostgreSQL database, shared by the threads of this process."""

    dialect = "postgresql"

    def __init__(
        self, url: str, *, password: str = "", pool_size: int = 8, retries: int = 8
    ) -> None:
        """Take where it is, and connect once, to tell at the start when that fails.

        :raises Unavailable: the server cannot be reached.
        """
        self._connections = Connections(url, password, pool_size)
        self._retries = retries
        self._writing = local()
        self._ahead = _Ahead()
        self._deadlines = Deadlines()
        with self._connections.one():
            pass

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Read outside any transaction."""
        ahead = self._ahead.found.get(sql)
        if ahead is not None and (found := ahead.get(tuple(params))) is not None:
            return found
        return self._reading(lambda wire: wire.execute(((sql, params),)))

    def ahead(self, reads: Sequence[Statement]) -> None:
        """Fetch together what this thread is about to ask ``rows`` for, in one trip."""
        mine = self._ahead.found
        mine.clear()
        if reads:
            found = self._reading(lambda wire: wire.execute_each(reads))
            for (sql, params), rows in zip(reads, found, strict=True):
                mine.setdefault(sql, {})[tuple(params)] = rows

    def read(self, work: Callable[[Session], T], *, seconds: float = 0.0) -> T:
        """Run ``work`` on one snapshot, which begins with its first statement."""

        def snapshot(wire: Wire) -> T:
            session = _Snapshot(wire)
            result = work(session)
            session.commit()
            return result

        def limited(wire: Wire) -> T:
            with self._deadlines.within(seconds, wire.cancel) as running:
                try:
                    return snapshot(wire)
                finally:
                    running.finish()
                    if running.ended:
                        # The word to end may reach the server after its answer.
                        wire.close()

        return self._reading(limited if seconds else snapshot)

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in a transaction, again after each race that it loses."""
        if getattr(self._writing, "on", False):
            raise RuntimeError("write inside write: use the session that is there")
        self._writing.on = True
        try:
            return self._repeated(work)
        finally:
            self._writing.on = False

    def health(self) -> str:
        """Tell what is wrong, if anything is."""
        try:
            self.rows("SELECT 1")
        except FyrError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Close the connections, those in use when they are given back."""
        self._deadlines.close()
        self._connections.close()

    def _reading(self, work: Callable[[Wire], T]) -> T:
        """Run what changes nothing; once more when that may help."""
        try:
            return self._read(work)
        except psycopg.Error as error:
            if not (_is_lost(error) or isinstance(error, STALE)):
                _fail(error)
        try:
            return self._read(work)
        except psycopg.Error as error:
            _fail(error)

    def _read(self, work: Callable[[Wire], T]) -> T:
        with self._connections.one() as wire:
            try:
                return work(wire)
            except GivenUp as given_up:
                raise given_up.error from None
            finally:
                _roll_back(wire)

    def _repeated(self, work: Callable[[Session], T]) -> T:
        pause = _PAUSE
        for left in range(self._retries, -1, -1):
            with self._connections.one() as wire:
                session = PostgresqlSession(wire, "BEGIN")
                try:
                    result = work(session)
                    session.commit()
                    return result
                except GivenUp as given_up:
                    if not left or not _may_repeat(session, given_up.error):
                        _fail(given_up.error)
                finally:
                    _roll_back(wire)
            time.sleep(pause * random.uniform(0.5, 1.5))
            pause = min(pause * 2, _LONGEST_PAUSE)
        raise AssertionError("the last attempt has ended neither way")


def _roll_back(wire: Wire) -> None:
    """End the transaction that is still open, if one is."""
    if wire.in_transaction:
        try:
            wire.execute((("ROLLBACK", ()),))
        except psycopg.Error:
            # The server rolls back what loses its connection.
            wire.close()


def _may_repeat(session: PostgresqlSession, error: psycopg.Error) -> bool:
    """Whether to run the work again: never when it may have been committed."""
    if isinstance(error, RACES + STALE):
        return True
    return _is_lost(error) and not session.committing


def _is_lost(error: psycopg.Error) -> bool:
    return isinstance(error, psycopg.OperationalError) and error.sqlstate in LOST


def _fail(error: psycopg.Error) -> NoReturn:
    """Raise what a driver's exception means here."""
    if isinstance(error, RACES):
        raise Conflict("others keep changing the same: try again") from error
    if isinstance(error, psycopg.DataError):
        raise Invalid("a number or a text is none that can be stored") from error
    if isinstance(error, errors.QueryCanceled):
        raise TookTooLong(
            "it takes the database too long: ask for less at a time"
        ) from error
    if isinstance(error, psycopg.OperationalError):
        raise Unavailable("the database cannot be used at present") from error
    raise FyrError("the database refused a statement") from error


@lru_cache(maxsize=256)
def _insert(sql: str) -> Callable[[int], str] | None:
    """Tell how to insert so many rows with one statement, if it inserts values."""
    match = _INSERT.fullmatch(sql)
    if match is None:
        return None
    head, row = match[1], match[2]
    return lru_cache(lambda size: head + ", ".join([row] * size))
