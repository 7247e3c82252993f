"""Leases on destinations: one worker at a time sends to one, and only it notes so.

A worker that lost its lease, to a clock or to a pause, changes nothing any more; what it
sent meanwhile may be sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from uuid import uuid4

from fyr.core.clock import Clock, to_millis
from fyr.core.outgoing.queue import NEVER
from fyr.core.store.port import Database, Session

#: A destination that took so long for what it was sent last is slow.
SLOW_MILLIS = 1000

#: Destinations whose hosts are found at one look.
_NAMED_AT_ONCE = 200

_READY = """
    SELECT destination, host FROM outgoing_destination
    WHERE sender = ? AND due <= ? AND lease_until < ? AND host IS NOT NULL AND {which}
    ORDER BY due LIMIT ?
"""
_SLOW_HOSTS = f"""
    SELECT DISTINCT s.sender, s.host FROM outgoing_destination s
    WHERE s.took >= {SLOW_MILLIS} AND s.host <> ''
"""
_FAILING = f"(failures > 0 OR took >= {SLOW_MILLIS})"
_OF_SLOW_HOST = f"((sender, host) IN ({_SLOW_HOSTS}))"
_DOUBTFUL = f"({_FAILING} OR {_OF_SLOW_HOST})"
_NEW = f"(sent = 0 AND NOT {_DOUBTFUL})"
_QUICK = f"(sent > 0 AND NOT {_DOUBTFUL})"
_UNNAMED = """
    SELECT destination FROM outgoing_destination
    WHERE sender = ? AND host IS NULL AND due <= ? LIMIT ?
"""
_NAME = """
    UPDATE outgoing_destination SET host = ?
    WHERE sender = ? AND destination = ? AND host IS NULL
"""
_ANY = "SELECT 1 FROM outgoing_destination WHERE due <= ? LIMIT 1"
_CLAIM = """
    UPDATE outgoing_destination SET owner = ?, lease_until = ?
    WHERE sender = ? AND destination = ? AND due <= ? AND lease_until < ?
"""
_HELD = """
    SELECT failures, took, sent, host FROM outgoing_destination
    WHERE sender = ? AND destination = ? AND owner = ?
"""
_RENEW = """
    UPDATE outgoing_destination SET lease_until = ?
    WHERE sender = ? AND destination = ? AND owner = ? AND lease_until >= ?
"""
_LEAVE = """
    UPDATE outgoing_destination SET owner = '', lease_until = 0
    WHERE sender = ? AND destination = ? AND owner = ?
"""
_WAITS = """
    SELECT 1 FROM outgoing WHERE sender = ? AND destination = ? AND state = 'waiting'
    LIMIT 1
"""
_NOTHING = """
    UPDATE outgoing_destination SET due = ?, owner = '', lease_until = 0
    WHERE sender = ? AND destination = ? AND owner = ?
"""


class LeaseLost(Exception):
    """Another worker sends to the destination now, or it was forgotten."""


@dataclass(slots=True)
class Lease:
    """The right of one worker to send to one destination."""

    sender: str
    destination: str
    owner: str
    #: failures in a row
    failures: int = 0
    #: milliseconds that the destination took for what it was sent last
    took: int = 0
    #: messages that it took since it is known
    sent: int = 0
    #: where it leads to; empty: nobody knows
    host: str = ""
    #: whether its host was slow, to it or to another destination, when it was claimed
    slow_host: bool = False
    #: set when the lease was found to be another's
    lost: Event = field(default_factory=Event)

    @property
    def doubtful(self) -> bool:
        """Whether it may hold its place for long: it failed last, or its host was slow."""
        return bool(self.failures) or self.took >= SLOW_MILLIS or self.slow_host

    @property
    def unproven(self) -> bool:
        """Whether it is doubtful, or nobody knows yet how it takes what it is sent."""
        return not self.sent or self.doubtful

    @property
    def key(self) -> tuple[str, str, str]:
        """What finds its row as long as it holds."""
        return (self.sender, self.destination, self.owner)


class Leases:
    """The rows of destinations, on the terms of their leases."""

    def __init__(self, database: Database, clock: Clock, lease_millis: int) -> None:
        """Take the database, the clock and how long a lease holds."""
        self._database = database
        self._clock = clock
        self._lease_millis = lease_millis

    def any_due(self) -> bool:
        """Tell whether anything may be due: most looks end with this one step."""
        return bool(self._database.rows(_ANY, (to_millis(self._clock()),)))

    def name_hosts(self, sender: str, host: Callable[[str], str]) -> bool:
        """Note the hosts of destinations that are new; whether there were some.

        None is sent to before: all of one host share what it may hold.
        """
        now = to_millis(self._clock())
        rows = self._database.rows(_UNNAMED, (sender, now, _NAMED_AT_ONCE))
        named = sorted((destination, host(destination)) for (destination,) in rows)
        if named:
            told = [(host, sender, one) for one, host in named]
            self._database.write(lambda session: session.run_many(_NAME, told))
        return bool(named)

    def claim(
        self,
        sender: str,
        count: int,
        doubtful: int,
        unproven: int,
        hosts: Mapping[str, int],
        each: int,
    ) -> list[Lease]:
        """Take destinations of a sender for which something is due.

        :param count: how many at most.
        :param doubtful: how many of them at most that are doubtful (:class:`Lease`).
        :param unproven: how many of those and of such as have taken nothing yet.
        :param hosts: doubtful ones that the caller has, by host.
        :param each: doubtful ones of one host at most, these included.
        """
        now = to_millis(self._clock())
        most = min(doubtful, count)
        ready = self._doubtful(sender, now, most, hosts, each)
        for which, share in ((_NEW, unproven), (_QUICK, count)):
            most = min(share, count) - len(ready)
            if most > 0:
                found = self._ready(which, (sender, now, now), most)
                ready += [destination for destination, _ in found]
        if not ready:
            return []
        return self._database.write(
            lambda session: self._claim(session, sender, ready, now)
        )

    def _ready(self, which: str, given: tuple[Any, ...], most: int) -> list[Any]:
        sql = _READY.format(which=which)
        return list(self._database.rows(sql, (*given, most)))

    def _doubtful(
        self, sender: str, now: int, most: int, hosts: Mapping[str, int], each: int
    ) -> list[str]:
        """Find doubtful ones, of no host more than its share."""
        taken, ready = dict(hosts), list[str]()
        while len(ready) < most:
            full = [host for host, count in taken.items() if host and count >= each]
            which = _DOUBTFUL + _not_in("host", full) + _not_in("destination", ready)
            given = (sender, now, now, *full, *ready)
            found = self._ready(which, given, most - len(ready))
            if not found:
                break
            for destination, host in found:
                if not host or taken.get(host, 0) < each:
                    taken[host] = taken.get(host, 0) + 1
                    ready.append(destination)
        return ready

    def _claim(
        self, session: Session, sender: str, ready: Iterable[str], now: int
    ) -> list[Lease]:
        leases = [Lease(sender, one, uuid4().hex) for one in sorted(ready)]
        until = now + self._lease_millis
        session.run_many(
            _CLAIM,
            [(one.owner, until, *one.key[:2], now, now) for one in leases],
        )
        held = [(one, session.rows(_HELD, one.key)) for one in leases]
        slow = {tuple(row) for row in session.rows(_SLOW_HOSTS)}
        for lease, rows in held:
            if rows:
                lease.failures, lease.took, lease.sent, host = rows[0]
                lease.host = host or ""
                lease.slow_host = (lease.sender, lease.host) in slow
        return [lease for lease, rows in held if rows]

    def renew(self, leases: Iterable[Lease]) -> None:
        """Hold leases for longer; marks those that are lost."""
        held = list(leases)
        now = to_millis(self._clock())

        def work(session: Session) -> list[Lease]:
            until = now + self._lease_millis
            session.run_many(_RENEW, [(until, *one.key, now) for one in held])
            return [one for one in held if not session.rows(_HELD, one.key)]

        for lease in self._database.write(work) if held else ():
            lease.lost.set()

    def require(self, session: Session, lease: Lease) -> None:
        """Hold the destination's row until the end of a transaction.

        :raises LeaseLost: it is another's.
        """
        lock = " FOR UPDATE" if session.dialect == "postgresql" else ""
        if not session.rows(_HELD + lock, lease.key):
            lease.lost.set()
            raise LeaseLost(lease.destination)

    def rest(self, lease: Lease) -> bool:
        """Let a destination go for which nothing waits; whether that is so."""

        def work(session: Session) -> bool:
            self.require(session, lease)
            # Asked under the row's lock: who puts a message there comes before or after.
            if session.rows(_WAITS, lease.key[:2]):
                return False
            session.run(_NOTHING, (NEVER, *lease.key))
            return True

        return self._database.write(work)

    def leave(self, lease: Lease) -> None:
        """Let a destination go, for whoever comes next."""
        self._database.write(lambda session: session.run(_LEAVE, lease.key))


def _not_in(column: str, values: list[str]) -> str:
    return f" AND {column} NOT IN ({', '.join('?' * len(values))})" if values else ""
