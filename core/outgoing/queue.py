"""The queues: a row a message, a row a destination, in the database that all share.

Messages of a destination leave in the order in which they were put there. Nothing waits
for another destination's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Event
from typing import Any

from fyr.core.clock import Clock, to_millis, utc_now
from fyr.core.errors import NotFound
from fyr.core.outgoing.message import WAITING, Outgoing
from fyr.core.store.port import Database, Session

#: ``due`` of a destination for which nothing waits.
NEVER = 2**62

COLUMNS = "id, sender, destination, state, attempts, created, changed, payload, error"

_PUT = """
    INSERT INTO outgoing (sender, destination, state, attempts, created, changed,
                          payload, error)
    VALUES (?, ?, 'waiting', 0, ?, ?, ?, '')
"""
# A destination that rests after a failure goes on resting.
_CALL = """
    INSERT INTO outgoing_destination (sender, destination, owner, lease_until, due,
                                      failures, error, sent)
    VALUES (?, ?, '', 0, ?, 0, '', 0)
    ON CONFLICT (sender, destination) DO UPDATE
    SET due = CASE WHEN outgoing_destination.due = 4611686018427387904
                   THEN excluded.due ELSE outgoing_destination.due END
"""
_FORGET = "DELETE FROM outgoing WHERE sender = ? AND destination = ?"
_FORGET_DESTINATION = (
    "DELETE FROM outgoing_destination WHERE sender = ? AND destination = ?"
)
_DEAD = f"""
    SELECT {COLUMNS} FROM outgoing
    WHERE state = 'dead' AND id > ? {{where}} ORDER BY id LIMIT ?
"""
_ONE = f"SELECT {COLUMNS} FROM outgoing WHERE id = ? AND state = 'dead'"
_AGAIN = """
    UPDATE outgoing SET state = 'waiting', attempts = 0, changed = ?
    WHERE id = ? AND state = 'dead'
"""
_AT_ONCE = """
    UPDATE outgoing_destination SET due = ? WHERE sender = ? AND destination = ?
"""
_DISCARD = "DELETE FROM outgoing WHERE id = ? AND state = 'dead'"
_WAITS = """
    SELECT 1 FROM outgoing WHERE sender = ? AND destination = ? AND state = 'waiting'
    LIMIT 1
"""
_COUNTS = """
    SELECT sender, state, COUNT(*), MIN(created) FROM outgoing GROUP BY sender, state
"""
_FAILING = """
    SELECT sender, COUNT(*) FROM outgoing_destination WHERE failures > 0 GROUP BY sender
"""
_AWAY = """
    SELECT sender, COUNT(NULLIF(destination, '')), MIN(error)
    FROM outgoing_destination WHERE away = 1
    GROUP BY sender ORDER BY sender
"""
_MARK = """
    INSERT INTO outgoing_destination (sender, destination, owner, lease_until, due,
                                      failures, error, sent, away)
    VALUES (?, '', '', 0, 4611686018427387904, 0, ?, 0, 1)
    ON CONFLICT (sender, destination) DO UPDATE SET error = excluded.error
"""
_MARKED = """
    SELECT error FROM outgoing_destination WHERE sender = ? AND destination = ''
"""
_STATES = """
    SELECT d.sender, d.destination, d.failures, d.error, d.sent, d.due, d.lease_until,
           d.took,
           (SELECT COUNT(*) FROM outgoing o WHERE o.sender = d.sender
            AND o.destination = d.destination AND o.state = 'waiting'),
           (SELECT COUNT(*) FROM outgoing o WHERE o.sender = d.sender
            AND o.destination = d.destination AND o.state = 'dead')
    FROM outgoing_destination d
    WHERE (d.sender > ? OR (d.sender = ? AND d.destination > ?)) {where}
    ORDER BY d.sender, d.destination LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class DestinationState:
    """One destination; times in milliseconds since 1970, UTC."""

    sender: str
    #: empty where what the whole sender needs is away
    destination: str
    #: failures in a row; 0 when the last message was taken
    failures: int
    #: why it failed last; stays until a message is taken
    error: str
    #: messages that were taken since it is known
    sent: int
    #: when it is tried next; :data:`NEVER` when nothing waits
    due: int
    lease_until: int
    #: milliseconds that it took for what it was sent last
    took: int
    waiting: int
    dead: int


@dataclass(frozen=True, slots=True)
class SenderCounts:
    """All destinations of one sender together."""

    waiting: int = 0
    dead: int = 0
    #: when the oldest that waits was put there, in milliseconds; 0 when none does
    oldest: int = 0
    #: destinations that failed last
    failing: int = 0
    #: those that wait because something of the deployment's own is away
    away: int = 0


class OutgoingQueue:
    """The queues of one database; safe to share between threads and processes."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        """Take the database, whose schema is up to date."""
        self.database = database
        self.clock = clock
        #: set when there may be something to send: workers of this process wait for it
        self.woken = Event()

    def put(
        self, session: Session, sender: str, destination: str, payload: Any
    ) -> None:
        """Keep a message for a destination; nothing is sent without the commit.

        :param destination: a text of the sender's own; one queue each.
        :param payload: plain JSON values: rather what to read than what it says, as
            they stand in the database, in dead letters too.
        """
        self.put_many(session, sender, [(destination, payload)])

    def put_many(
        self, session: Session, sender: str, messages: Iterable[tuple[str, Any]]
    ) -> None:
        """Keep messages, each with its destination, in their order."""
        kept = list(messages)
        now = self._now()
        rows = [
            (sender, destination, now, now, json.dumps(payload, ensure_ascii=False))
            for destination, payload in kept
        ]
        if not rows:
            return
        session.run_many(_PUT, rows)
        # In one order, so that two transactions do not wait for each other.
        called = sorted({destination for destination, _ in kept})
        session.run_many(_CALL, [(sender, one, now) for one in called])

    def wake(self) -> None:
        """Have this process look at once, after the commit of who cannot wait."""
        self.woken.set()

    def forget(self, session: Session, sender: str, destination: str) -> None:
        """Remove a destination and all that waits or is dead there."""
        session.run(_FORGET, (sender, destination))
        session.run(_FORGET_DESTINATION, (sender, destination))

    def hurry(self, session: Session, sender: str, destination: str) -> None:
        """Have a destination that rests after failures tried at once."""
        session.run(_AT_ONCE, (self._now(), sender, destination))

    def dead(
        self, after: int = 0, count: int = 100, *, sender: str = ""
    ) -> list[Outgoing]:
        """Read dead letters by their id, after those of the page before.

        :param sender: whose; empty for all.
        """
        where, params = ("AND sender = ?", [sender]) if sender else ("", [])
        sql = _DEAD.format(where=where)
        rows = self.database.rows(sql, (after, *params, count))
        return [Outgoing(*row) for row in rows]

    def retry(self, id: int) -> None:
        """Have a dead letter sent again: before all that waits, as it is older.

        :raises NotFound: no dead letter has this id.
        """

        def work(session: Session) -> None:
            found = self._dead_one(session, id)
            now = self._now()
            session.run(_AGAIN, (now, id))
            session.run(_CALL, (found.sender, found.destination, now))
            self.hurry(session, found.sender, found.destination)

        self.database.write(work)
        self.wake()

    def discard(self, id: int) -> None:
        """Forget a dead letter for good.

        :raises NotFound: no dead letter has this id.
        """

        def work(session: Session) -> None:
            self._dead_one(session, id)
            session.run(_DISCARD, (id,))

        self.database.write(work)

    def waits(
        self, sender: str, destination: str, session: Session | None = None
    ) -> bool:
        """Tell whether something is still to be sent to a destination."""
        rows = (session or self.database).rows(_WAITS, (sender, destination))
        return bool(rows)

    def counts(self) -> dict[str, SenderCounts]:
        """Tell, by sender, how much waits and how much is dead."""
        found: dict[str, dict[str, int]] = {}
        for sender, state, count, oldest in self.database.rows(_COUNTS):
            one = found.setdefault(sender, {})
            one[state] = count
            if state == WAITING:
                one["oldest"] = oldest
        for sender, count in self.database.rows(_FAILING):
            found.setdefault(sender, {})["failing"] = count
        for sender, (count, _) in self.away().items():
            found.setdefault(sender, {})["away"] = count
        return {sender: SenderCounts(**one) for sender, one in sorted(found.items())}

    def mark(self, sender: str, why: str) -> None:
        """Note that what a whole sender needs is away, while it has nothing to send.

        :param why: empty: it is there.
        """
        marked = [error for (error,) in self.database.rows(_MARKED, (sender,))]
        if marked == ([why] if why else []):
            return

        def work(session: Session) -> None:
            if why:
                session.run(_MARK, (sender, why))
            else:
                session.run(_FORGET_DESTINATION, (sender, ""))

        self.database.write(work)

    def away(self) -> dict[str, tuple[int, str]]:
        """Tell, by sender, how many wait for something of the deployment's own, and why."""
        rows = self.database.rows(_AWAY)
        # The sender itself, where it has nothing to send.
        return {sender: (max(count, 1), why) for sender, count, why in rows}

    def destinations(
        self, after: tuple[str, str] = ("", ""), count: int = 100, *, sender: str = ""
    ) -> list[DestinationState]:
        """Tell of destinations, by sender and name, after the last of the page before.

        :param after: sender and destination of that one.
        """
        where, params = ("AND d.sender = ?", [sender]) if sender else ("", [])
        rows = self.database.rows(
            _STATES.format(where=where), (after[0], after[0], after[1], *params, count)
        )
        return [DestinationState(*row) for row in rows]

    def _dead_one(self, session: Session, id: int) -> Outgoing:
        rows = session.rows(_ONE, (id,))
        if not rows:
            raise NotFound(f"no dead letter has the id {id}")
        return Outgoing(*rows[0])

    def _now(self) -> int:
        return to_millis(self.clock())
