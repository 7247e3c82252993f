"""Connections to PostgreSQL, kept for the next one who needs one.

A server that is down is told at once, and not after a wait: who asks connects, and
hears why that fails. After a restart of the server, what was kept is found dead
before it is used, and new connections take its place.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from threading import local
from typing import Any

import psycopg

from fyr.core.errors import Unavailable
from fyr.core.store.wire import Wire

#: How long a thread waits while all connections are in use.
WAIT_SECONDS = 30.0
_OPTIONS: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "application_name": "fyr",
}
#: What PostgreSQL says when it lets nobody in, and what is told of that: its own words may
#: hold a part of a password that a URL was written with.
_REASONS = {
    "password authentication failed": "it refuses the user or the password",
    "no password supplied": "it asks for a password",
    "no pg_hba.conf entry": "it lets this user in from elsewhere only",
    "root certificate file": "the file of sslrootcert cannot be used",
    "certificate": "nobody vouches for its certificate, or it does not for ours",
    "support ssl": "it does not speak TLS",
    "does not exist": "it has no such user, or no such database",
    "too many": "it has no connection to spare",
    "starting up": "it is starting",
    "resolve": "its name is not known",
    "connection refused": "nobody listens there",
    "timeout": "it does not answer",
}


def why_not(url: str, password: str) -> str:
    """Tell why a server lets nobody in, in our words; empty: it does.

    It is connected to, and may take five seconds for each of its addresses.
    """
    try:
        psycopg.connect(url, **_options(password)).close()
    except psycopg.OperationalError as error:
        told = str(error).lower()
        known = (why for said, why in _REASONS.items() if said in told)
        return f"the database cannot be used: {next(known, 'it cannot be reached')}"
    except psycopg.Error:
        return "it is not the URL of a database"
    return ""


def _options(password: str) -> dict[str, Any]:
    return {**_OPTIONS, **({"password": password} if password else {})}


class Connections:
    """The connections of one process; safe to share between threads."""

    def __init__(self, url: str, password: str, size: int) -> None:
        """Take where to connect to, and how many connections are open at most."""
        self._url = url
        self._options = _options(password)
        self._idle: deque[Wire] = deque()
        # As many entries as may be in use; a semaphore without its Python.
        self._free: SimpleQueue[None] = SimpleQueue()
        for _ in range(size):
            self._free.put(None)
        self._mine = local()
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[Wire]:
        """Lend a connection that is alive and in no transaction.

        A thread that has one already may have another beyond the number, as it would
        otherwise wait for itself.

        :raises Unavailable: the server cannot be reached, or all are in use.
        """
        depth: int = getattr(self._mine, "depth", 0)
        if not depth:
            self._wait()
        self._mine.depth = depth + 1
        wire = None
        try:
            wire = self._kept() or self._connect()
            yield wire
        finally:
            if wire is not None:
                self._give_back(wire)
            self._mine.depth = depth
            if not depth:
                self._free.put(None)

    def close(self) -> None:
        """Close all that are not in use, and the others when they are given back."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _wait(self) -> None:
        try:
            self._free.get(timeout=WAIT_SECONDS)
        except Empty:
            raise Unavailable("all connections of the database are in use") from None

    def _kept(self) -> Wire | None:
        while self._idle:
            try:
                wire = self._idle.pop()
            except IndexError:
                break
            if wire.quiet:
                return wire
            wire.close()
        return None

    def _connect(self) -> Wire:
        if self._closed:
            raise Unavailable("the store is closed")
        try:
            return Wire(psycopg.connect(self._url, **self._options))
        except psycopg.Error as error:
            raise Unavailable("the database cannot be reached") from error

    def _give_back(self, wire: Wire) -> None:
        if wire.idle and not self._closed:
            self._idle.append(wire)
        else:
            wire.close()
