"""PostgreSQL behind the store's port: psycopg 3, a pool, pipelined writes.

https://www.psycopg.org/psycopg3/docs/advanced/pipeline.html: statements of a transaction
are sent as they come and answered together, at the next ``rows`` or the commit.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg_pool import ConnectionPool, PoolTimeout

from fyr.core.errors import Conflict, FyrError, Unavailable
from fyr.core.store.port import Row, Session

T = TypeVar("T")

#: Lost races: the same work, done again, may win.
_RACES = (errors.DeadlockDetected, errors.SerializationFailure, errors.UniqueViolation)
#: The connection is gone, or there was none to be had.
_LOST = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
_WAIT_SECONDS = 10.0
_FIRST_PAUSE_SECONDS = 0.005


@lru_cache(maxsize=4096)
def _translated(sql: str) -> str:
    """Write the port's ``?`` as psycopg's ``%s``."""
    return sql.replace("%", "%%").replace("?", "%s")


class _Session:
    """A transaction on one connection; in a pipeline each statement needs a cursor."""

    dialect = "postgresql"

    def __init__(self, connection: psycopg.Connection[Row]) -> None:
        self._connection = connection

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(_translated(sql), params).fetchall()

    def run(self, sql: str, params: Sequence[Any] = ()) -> None:
        self._connection.execute(_translated(sql), params)

    def run_many(self, sql: str, params: Iterable[Sequence[Any]]) -> None:
        self._connection.cursor().executemany(_translated(sql), params)


class PostgresqlDatabase:
    """A PostgreSQL database by its URL."""

    dialect = "postgresql"

    def __init__(
        self, url: str, *, password: str = "", pool_size: int = 8, retries: int = 8
    ) -> None:
        """Connect.

        :raises Unavailable: nobody answers there, or not to this user.
        """
        more = {"password": password} if password else {}
        self._retries = retries
        self._pool: ConnectionPool[psycopg.Connection[Row]] = ConnectionPool(
            url,
            min_size=1,
            max_size=pool_size,
            kwargs={"autocommit": True, **more},
            open=False,
            timeout=_WAIT_SECONDS,
        )
        self._pool.open()
        try:
            self._pool.wait(_WAIT_SECONDS)
        except _LOST as error:
            self._pool.close()
            raise Unavailable(f"the store cannot be reached: {error}") from None

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Read outside any transaction; once more when the connection was lost."""
        try:
            return self._rows(sql, params)
        except _LOST:
            self._pool.check()
        try:
            return self._rows(sql, params)
        except psycopg.Error as error:
            raise _told(error) from error

    def read(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` on one snapshot."""
        try:
            with self._pool.connection() as connection, connection.transaction():
                connection.execute(
                    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
                )
                return work(_Session(connection))
        except psycopg.Error as error:
            raise _told(error) from error

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction, again after a lost race."""
        pause = _FIRST_PAUSE_SECONDS
        for attempt in range(self._retries + 1):
            try:
                return self._write(work)
            except _RACES as error:
                if attempt == self._retries:
                    raise Conflict(
                        "other writers were faster, again and again; try later"
                    ) from error
                time.sleep(pause * random.uniform(0.5, 1.5))
                pause = min(pause * 2, 1.0)
            except psycopg.Error as error:
                raise _told(error) from error
        raise AssertionError("not reached")

    def health(self) -> str:
        """Tell what is wrong, if anything."""
        try:
            self.rows("SELECT 1")
        except FyrError as error:
            return str(error)
        return ""

    def close(self) -> None:
        """Give the connections back."""
        self._pool.close()

    def _rows(self, sql: str, params: Sequence[Any]) -> list[Row]:
        with self._pool.connection() as connection:
            return connection.execute(_translated(sql), params).fetchall()

    def _write(self, work: Callable[[Session], T]) -> T:
        with (
            self._pool.connection() as connection,
            connection.pipeline(),
            connection.transaction(),
        ):
            return work(_Session(connection))


def _told(error: psycopg.Error) -> FyrError:
    if isinstance(error, _RACES):
        return Conflict("another writer was faster")
    if isinstance(error, _LOST):
        return Unavailable("the store cannot be reached")
    return Unavailable(f"the store does not answer: {type(error).__name__}")
