"""The wire: statements to PostgreSQL, prepared, many in one trip.

https://www.postgresql.org/docs/current/libpq-pipeline-mode.html, by psycopg's own
binding of libpq. Its cursors do the same with some Python for each statement, which
is most of what a small transaction costs here.
"""

import re
import select
import struct
from collections.abc import Sequence
from itertools import count
from typing import Any

import psycopg
from psycopg import errors, pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq.abc import PGresult
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper

from fyr.core.caching import cached_if_short
from fyr.core.store.port import Row

Statement = tuple[str, Sequence[Any]]
#: A statement and the types of its parameters: what is prepared once.
_Key = tuple[bytes, tuple[int, ...]]

#: A statement with values and their formats as they are sent.
_Written = tuple[_Key, Sequence[Any], Sequence[Any]]

#: A prepared statement does not fit any more, as a table has changed since.
STALE = (errors.FeatureNotSupported, errors.InvalidSqlStatementName)

#: Statements that a connection keeps prepared; more, and it begins anew.
_MOST_PREPARED = 500
#: Statements it remembers to have run once; the second time they are prepared.
_MOST_SEEN = 2000
#: Characters of the longest statement that is kept or prepared; longer ones are few and
#: made of lists whose length hardly comes again.
_LONGEST_PREPARED = 20_000

_OK = (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK)
_QUOTED_OR_MARK = re.compile(r"'[^']*'|\?")


class Wire:
    """One connection, for one thread at a time."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        """Take an open connection in no transaction; it is this one's from now on."""
        # One type for all integers, so that statements are prepared once. In lists they
        # are text, whose type would stay what the first list of the connection took.
        connection.adapters.register_dumper(int, Int8Dumper)
        for kind in (int, bool):
            connection.adapters.register_dumper(kind, Int8BinaryDumper)
        self._connection = connection
        self._server = connection.pgconn
        self._adapter = Transformer(connection)
        self._prepared: dict[_Key, bytes] = {}
        self._seen: set[_Key] = set()
        self._numbers = count()
        self._input, self._both = select.poll(), select.poll()
        self._input.register(self._server.socket, select.POLLIN)
        self._both.register(self._server.socket, select.POLLIN | select.POLLOUT)
        self._server.enter_pipeline_mode()

    @property
    def idle(self) -> bool:
        """Whether it can be used again: in no transaction, and nothing is on its way."""
        return self._server.transaction_status == pq.TransactionStatus.IDLE

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, also one that has failed."""
        status = self._server.transaction_status
        return status in (pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR)

    @property
    def quiet(self) -> bool:
        """Whether the server has said nothing unasked; its last word is that it ends."""
        return not self._input.poll(0)

    @property
    def lost(self) -> bool:
        """Whether the connection is broken."""
        return self._server.status != pq.ConnStatus.OK

    def execute(self, statements: Sequence[Statement]) -> list[Row]:
        """Run statements in one trip and fetch what the last one returns.

        :raises psycopg.Error: of the first that fails; those behind it are not run.
        """
        return self._rows(self._run(statements)[-1])

    def execute_each(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Run statements in one trip and fetch what each of them returns.

        :raises psycopg.Error: of the first that fails; those behind it are not run.
        """
        results = self._run(statements)
        return [self._rows(one) for one in results[-len(statements) :]]

    def cancel(self) -> None:
        """Have the server end what it is at; for any thread."""
        try:
            self._server.get_cancel().cancel()
        except psycopg.Error:
            # It is gone, and who waits for its answer hears that.
            return

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _run(self, statements: Sequence[Statement]) -> list[PGresult]:
        if len(self._prepared) > _MOST_PREPARED:
            self._prepared.clear()
            statements = [("DEALLOCATE ALL", ()), *statements]
        # Values that cannot be written are found before anything is sent.
        written = [self._write(sql, params) for sql, params in statements]
        prepared: dict[_Key, bytes] = {}
        answers: list[_Key | None] = []
        for one in written:
            self._send(*one, prepared, answers)
        self._server.pipeline_sync()
        self._flush()
        return self._read(answers, prepared)

    def _write(self, sql: str, params: Sequence[Any]) -> _Written:
        adapter = self._adapter
        if not params:
            return (_numbered(sql), ()), (), ()
        try:
            values = adapter.dump_sequence(params, [PyFormat.AUTO] * len(params))
        except (OverflowError, UnicodeEncodeError, struct.error) as error:
            raise psycopg.DataError(str(error)) from error
        return (_numbered(sql), adapter.types or ()), values, adapter.formats or ()

    def _send(
        self,
        key: _Key,
        values: Sequence[Any],
        formats: Sequence[Any],
        prepared: dict[_Key, bytes],
        answers: list[_Key | None],
    ) -> None:
        """Send a statement, before it that it be prepared, if that is worth it."""
        name = self._prepared.get(key) or prepared.get(key)
        if name is None and key in self._seen:
            name = prepared[key] = b"fyr%d" % next(self._numbers)
            self._server.send_prepare(name, *key)
            answers.append(key)
        answers.append(None)
        if name is not None:
            self._server.send_query_prepared(name, values, formats, pq.Format.BINARY)
            return
        sql, types = key
        if len(sql) <= _LONGEST_PREPARED:
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
            self._seen.add(key)
        self._server.send_query_params(sql, values, types, formats, pq.Format.BINARY)

    def _read(
        self, answers: Sequence[_Key | None], prepared: dict[_Key, bytes]
    ) -> list[PGresult]:
        """Fetch the answers to all that was sent; those to statements are given."""
        failure: psycopg.Error | None = None
        results: list[PGresult] = []
        for key in answers:
            result = self._next()
            if result is None or result.status not in _OK:
                failure = failure or self._error(result)
            elif key is not None:
                self._prepared[key] = prepared[key]
            else:
                results.append(result)
            if result is not None:
                # Each answer has an end.
                self._next()
        self._next()
        if failure is not None:
            if isinstance(failure, STALE):
                self._prepared.clear()
            raise failure
        return results

    def _rows(self, result: PGresult) -> list[Row]:
        if not result.nfields:
            return []
        self._adapter.set_pgresult(result)
        return self._adapter.load_rows(0, result.ntuples, tuple)

    def _next(self) -> PGresult | None:
        server = self._server
        while server.is_busy():
            self._input.poll()
            server.consume_input()
        return server.get_result()

    def _flush(self) -> None:
        # Reads, too, as the server may wait for that before it reads on.
        while self._server.flush():
            for _, event in self._both.poll():
                if event & select.POLLIN:
                    self._server.consume_input()

    def _error(self, result: PGresult | None) -> psycopg.Error:
        if result is None or self.lost:
            return psycopg.OperationalError("the connection is lost")
        return errors.error_from_result(result)


@cached_if_short(4096, _LONGEST_PREPARED)
def _numbered(sql: str) -> bytes:
    """Write the port's ``?`` as ``$1``, ``$2``, but not in quoted text."""
    numbers = count(1)

    def mark(match: re.Match[str]) -> str:
        return f"${next(numbers)}" if match[0] == "?" else match[0]

    return _QUOTED_OR_MARK.sub(mark, sql).encode()
