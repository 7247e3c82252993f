"""Deliveries: events that a consumer could not take, kept to be repeated.

Of one consumer and one subject at most one is *retry* (it has a time when it is due),
the later ones are *behind* it, and those that were tried too often are *dead*. When
the first one is done, the next is promoted.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from fyr.core.store.port import Database, Session

RETRY, BEHIND, DEAD = "retry", "behind", "dead"

_ADD = """
    INSERT INTO delivery (consumer, position, subject, state, attempts, due, error)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_DUE = """
    SELECT position, subject, state, attempts, due, error FROM delivery
    WHERE consumer = ? AND state = 'retry' AND due <= ?
    ORDER BY due, position LIMIT ?
"""
_SUBJECTS = """
    SELECT subject, COUNT(*) FROM delivery
    WHERE consumer = ? AND state IN ('retry', 'behind') GROUP BY subject
"""
_WAITING = """
    SELECT consumer, COUNT(*), MIN(CASE WHEN state = 'retry' THEN due END)
    FROM delivery WHERE state IN ('retry', 'behind') GROUP BY consumer
"""
_FAILED = """
    UPDATE delivery SET state = ?, attempts = ?, due = ?, error = ?
    WHERE consumer = ? AND position = ?
"""
_REMOVE = "DELETE FROM delivery WHERE consumer = ? AND position = ?"
_FORGET = "DELETE FROM delivery WHERE consumer = ? AND position > ?"
_FIRST = """
    SELECT position, state FROM delivery
    WHERE consumer = ? AND subject = ? AND state IN ('retry', 'behind')
    ORDER BY CASE WHEN state = 'retry' THEN 0 ELSE 1 END, position LIMIT 1
"""
_PROMOTE = """
    UPDATE delivery SET state = 'retry', due = ? WHERE consumer = ? AND position = ?
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event that a consumer has still to take; ``due`` is in milliseconds."""

    position: int
    subject: str
    state: str
    attempts: int
    due: int
    error: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many deliveries of a consumer wait, and when the first is due, if any is."""

    count: int
    due: int | None


class Deliveries:
    """The rows of all consumers' deliveries."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    def due(self, consumer: str, now: int, count: int) -> list[Delivery]:
        """Read what is to be tried again by now."""
        return [
            Delivery(*row) for row in self._database.rows(_DUE, (consumer, now, count))
        ]

    def subjects(self, consumer: str) -> dict[str, int]:
        """Tell which subjects are held up, and how many events of each wait."""
        return {
            subject: count
            for subject, count in self._database.rows(_SUBJECTS, (consumer,))
        }

    def waiting(self) -> dict[str, Waiting]:
        """Tell, by consumer, what waits."""
        return {
            consumer: Waiting(count, due)
            for consumer, count, due in self._database.rows(_WAITING)
        }

    def add(
        self, session: Session, consumer: str, deliveries: Iterable[Delivery]
    ) -> None:
        """Keep events that could not be delivered, or that wait behind such a one."""
        rows = [
            (consumer, d.position, d.subject, d.state, d.attempts, d.due, d.error)
            for d in deliveries
        ]
        if rows:
            session.run_many(_ADD, rows)

    def failed(self, session: Session, consumer: str, delivery: Delivery) -> None:
        """Note another failure; a dead letter lets the next of its subject go."""
        d = delivery
        session.run(
            _FAILED, (d.state, d.attempts, d.due, d.error, consumer, d.position)
        )
        if d.state == DEAD:
            self.promote(session, consumer, d.subject)

    def done(self, session: Session, consumer: str, delivery: Delivery) -> None:
        """Forget one that was delivered, or given up for good."""
        session.run(_REMOVE, (consumer, delivery.position))
        self.promote(session, consumer, delivery.subject)

    def forget(self, session: Session, consumer: str, after: int) -> None:
        """Forget all after a position, because the cursor goes back there."""
        session.run(_FORGET, (consumer, after))

    def promote(self, session: Session, consumer: str, subject: str) -> None:
        """Make the first that is behind due at once, unless another is being tried."""
        first = session.rows(_FIRST, (consumer, subject))
        if first and first[0][1] == BEHIND:
            session.run(_PROMOTE, (0, consumer, first[0][0]))
