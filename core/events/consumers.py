"""Consumers: who is told about changes, and the row that remembers how far each is.

A consumer is held by one worker at a time, by a lease in its row that the worker
renews. A worker that dies renews nothing; after ``lease_seconds`` another goes on from
the last position that was acknowledged, so that events in between come again. The
clocks of the machines must agree to within the lease.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from uuid import uuid4

from fyr.core.clock import Clock, to_millis
from fyr.core.events.change import RESOURCE, Change
from fyr.core.store.port import Database, Session

_ADD = """
    INSERT INTO consumer (name, position, owner, lease_until, paused_until, pauses,
                          error, delivered, failures, seen)
    VALUES (?, ?, '', 0, 0, 0, '', 0, 0, ?)
    ON CONFLICT (name) DO NOTHING
"""
_SEEN = "UPDATE consumer SET seen = ? WHERE name = ?"
_ACQUIRE = """
    UPDATE consumer SET owner = ?, lease_until = ?, seen = ?
    WHERE name = ? AND lease_until < ? AND paused_until <= ?
"""
_HELD = "SELECT position, pauses FROM consumer WHERE name = ? AND owner = ?"
_RENEW = """
    UPDATE consumer SET lease_until = ?, seen = ? WHERE name = ? AND owner = ?
"""
_RELEASE = (
    "UPDATE consumer SET owner = '', lease_until = 0 WHERE name = ? AND owner = ?"
)
_ACKNOWLEDGE = """
    UPDATE consumer SET position = ?, pauses = 0, error = '',
           delivered = delivered + ?, failures = failures + ?
    WHERE name = ? AND owner = ?
"""
_PAUSE = """
    UPDATE consumer SET paused_until = ?, pauses = pauses + 1, error = ?,
           failures = failures + 1
    WHERE name = ? AND owner = ?
"""
_AWAY = """
    UPDATE consumer SET pauses = 1, error = ?
    WHERE name = ? AND pauses = 0 AND lease_until < ?
"""
_BACK = """
    UPDATE consumer SET pauses = 0, error = ''
    WHERE name = ? AND pauses > 0 AND paused_until <= ? AND lease_until < ?
"""
_STATES = """
    SELECT name, position, lease_until, paused_until, pauses, error, delivered,
           failures, seen
    FROM consumer ORDER BY name
"""


#: What a consumer wants written down together with its cursor: in one transaction, which
#: is done again when it must be, or not at all when another worker has the consumer.
Note = Callable[[Session], None]


@dataclass(frozen=True, slots=True)
class Consumer:
    """Somebody who is told about changes, at least once each.

    ``handle`` raises to have an event again later, after a growing wait and in the
    end as a dead letter; later events of the same resource wait behind it, others go
    on. It raises :class:`~fyr.core.errors.Unavailable` when what it needs is down:
    the whole consumer then rests, however long, and no event is given up.

    A consumer that does better with many events at once gives ``handle_many`` besides.
    When that raises, each of them is handed over alone, so it takes all or none.

    Both may give a :data:`Note`, so that what a consumer knows of the events and how far
    it is are never apart.
    """

    #: unique in the deployment; its cursor is kept under it
    name: str
    handle: Callable[[Change], Note | None]
    #: types of stored versions that it wants, ``None`` for all
    types: frozenset[str] | None = None
    #: topics that it wants, ``None`` for all; ``resource`` is the one of stored versions
    topics: frozenset[str] | None = frozenset({RESOURCE})
    #: begin with the oldest event that is kept, not with the next one
    from_start: bool = False
    handle_many: Callable[[Sequence[Change]], Note | None] | None = None
    #: longest rest in seconds while what it needs is down, ``None`` for the setting
    longest_rest: float | None = None
    #: asked each ``longest_rest`` seconds by each worker, while nothing is told: raises
    #: :class:`~fyr.core.errors.Unavailable` when what it needs is down. Never at the same
    #: time as ``handle``
    check: Callable[[], None] | None = None

    def wants(self, change: Change) -> bool:
        """Whether it is told about a change."""
        return is_among(change, self.topics, self.types)


def is_among(
    change: Change, topics: frozenset[str] | None, types: frozenset[str] | None
) -> bool:
    """Whether a change has one of the topics, and a stored version one of the types."""
    if topics is not None and change.topic not in topics:
        return False
    return types is None or change.type in types or change.topic != RESOURCE


@dataclass(slots=True)
class Lease:
    """The right of one worker to move one consumer."""

    name: str
    owner: str
    #: all up to here is delivered, or kept as a delivery to be repeated
    position: int
    #: rests in a row, because what the consumer needs was down
    pauses: int
    #: set when the lease was found to be another's
    lost: Event = field(default_factory=Event)


class LeaseLost(Exception):
    """Another worker holds the consumer now, or somebody moved its cursor."""


@dataclass(frozen=True, slots=True)
class ConsumerState:
    """The row of a consumer; times in milliseconds since 1970, UTC."""

    name: str
    position: int
    lease_until: int
    paused_until: int
    #: rests in a row, because what it needs was down
    pauses: int
    #: what it said when it rested last
    error: str
    delivered: int
    failures: int
    #: when a process last started that has it, or a worker told it something
    seen: int

    def free(self, now: int) -> bool:
        """Whether nobody holds it and it does not rest."""
        return self.lease_until < now and self.paused_until <= now


def consumers_of(deliveries: Mapping[str, Callable[[Change], None]]) -> list[Consumer]:
    """Make a consumer, named after the plugin, of each plugin's ``deliver`` hook."""
    return [Consumer(name, handle) for name, handle in deliveries.items()]


class Cursors:
    """The rows of consumers, on the terms of their leases."""

    def __init__(self, database: Database, clock: Clock, lease_millis: int) -> None:
        """Take the database, the clock and how long a lease holds."""
        self._database = database
        self._clock = clock
        self._lease_millis = lease_millis

    def register(self, consumers: Iterable[Consumer], head: int) -> None:
        """Make rows for consumers that are new, and note that all were seen."""
        now = to_millis(self._clock())
        new = [(c.name, 0 if c.from_start else head, now) for c in consumers]

        def work(session: Session) -> None:
            session.run_many(_ADD, new)
            session.run_many(_SEEN, [(now, name) for name, _, _ in new])

        if new:
            self._database.write(work)

    def acquire(self, name: str) -> Lease | None:
        """Take a consumer that nobody holds and that does not rest."""
        now = to_millis(self._clock())
        owner = uuid4().hex

        def work(session: Session) -> Lease | None:
            until = now + self._lease_millis
            session.run(_ACQUIRE, (owner, until, now, name, now, now))
            rows = session.rows(_HELD, (name, owner))
            return Lease(name, owner, *rows[0]) if rows else None

        return self._database.write(work)

    def renew(self, leases: Iterable[Lease]) -> None:
        """Hold leases for longer; marks those that are lost."""
        held = list(leases)
        now = to_millis(self._clock())
        until = now + self._lease_millis

        def work(session: Session) -> list[Lease]:
            rows = [(until, now, one.name, one.owner) for one in held]
            session.run_many(_RENEW, rows)
            return [
                one for one in held if not session.rows(_HELD, (one.name, one.owner))
            ]

        for lease in self._database.write(work) if held else ():
            lease.lost.set()

    def release(self, lease: Lease) -> None:
        """Let a consumer go, for whoever comes next."""
        self._database.write(
            lambda session: session.run(_RELEASE, (lease.name, lease.owner))
        )

    def acknowledge(
        self,
        session: Session,
        lease: Lease,
        position: int,
        *,
        delivered: int = 0,
        failures: int = 0,
    ) -> None:
        """Move the cursor inside a transaction, which ends when the lease is lost.

        :raises LeaseLost: this worker may no longer say how far the consumer is.
        """
        session.run(
            _ACKNOWLEDGE, (position, delivered, failures, lease.name, lease.owner)
        )
        if not session.rows(_HELD, (lease.name, lease.owner)):
            lease.lost.set()
            raise LeaseLost(lease.name)
        lease.pauses = 0

    def pause(self, lease: Lease, until: int, error: str) -> None:
        """Let a consumer rest until a moment."""
        self._database.write(
            lambda session: session.run(_PAUSE, (until, error, lease.name, lease.owner))
        )

    def note_check(self, name: str, why: str) -> bool:
        """Note whether what an idle consumer needs is there; whether that is news.

        One that is held is left to its holder, one that rests to the end of its rest.

        :param why: it is not; empty: it is.
        """
        now = to_millis(self._clock())
        found = {state.name: state for state in self.states()}.get(name)
        if found is None or bool(found.pauses) == bool(why) or not found.free(now):
            return False

        def work(session: Session) -> None:
            if why:
                session.run(_AWAY, (why, name, now))
            else:
                session.run(_BACK, (name, now, now))

        self._database.write(work)
        return True

    def states(self) -> list[ConsumerState]:
        """Tell of all consumers, also of those that no plugin here has any more."""
        return [ConsumerState(*row) for row in self._database.rows(_STATES)]
