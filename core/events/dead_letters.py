"""Dead letters: events that a consumer could not take, however often it was tried.

They are kept until somebody has them tried again or drops them; the later events of
their subject have gone on meanwhile, so a dead letter that comes again may be older
than what its consumer has seen: it tells by ``version``.
"""

from dataclasses import dataclass

from fyr.core.errors import NotFound
from fyr.core.events.change import Change
from fyr.core.events.deliveries import BEHIND, Deliveries
from fyr.core.events.outbox import Outbox
from fyr.core.store.port import Session

_LIST = """
    SELECT consumer, position, attempts, due, error FROM delivery
    WHERE state = 'dead' AND (consumer > ? OR (consumer = ? AND position > ?))
    ORDER BY consumer, position LIMIT ?
"""
_LIST_OF = """
    SELECT consumer, position, attempts, due, error FROM delivery
    WHERE state = 'dead' AND consumer = ? AND position > ?
    ORDER BY position LIMIT ?
"""
_ONE = """
    SELECT position, subject FROM delivery
    WHERE consumer = ? AND state = 'dead' AND position = ?
"""
_ALL = """
    SELECT position, subject FROM delivery
    WHERE consumer = ? AND state = 'dead' ORDER BY position
"""
_AGAIN = """
    UPDATE delivery SET state = ?, attempts = 0 WHERE consumer = ? AND position = ?
"""
_KNOWN = "SELECT 1 FROM consumer WHERE name = ?"
_DROP = "DELETE FROM delivery WHERE consumer = ? AND position = ? AND state = 'dead'"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One event that one consumer could not take."""

    consumer: str
    position: int
    attempts: int
    #: when it was given up, in milliseconds since 1970, UTC
    at: int
    #: what the consumer raised the last time
    error: str
    #: the event itself
    change: Change | None


class DeadLetters:
    """The dead letters of all consumers."""

    def __init__(self, outbox: Outbox) -> None:
        """Take the outbox whose events they are."""
        self._outbox = outbox
        self._deliveries = Deliveries(outbox.database)

    def page(
        self, consumer: str = "", after: int = 0, count: int = 100
    ) -> list[DeadLetter]:
        """Read some, by consumer and position, after those of the page before.

        :param consumer: that of the last one read, empty to begin.
        :param after: the position of the last one read.
        """
        return self._letters(_LIST, (consumer, consumer, after, count))

    def of(self, consumer: str, after: int = 0, count: int = 100) -> list[DeadLetter]:
        """Read some of one consumer, by position, after a position.

        :raises NotFound: no consumer ever had this name.
        """
        found = self._letters(_LIST_OF, (consumer, after, count))
        if not found and not self._outbox.database.rows(_KNOWN, (consumer,)):
            raise _nobody(consumer)
        return found

    def _letters(self, sql: str, params: tuple[str | int, ...]) -> list[DeadLetter]:
        rows = self._outbox.database.rows(sql, params)
        changes = self._outbox.at(row[1] for row in rows)
        return [
            DeadLetter(name, position, attempts, at, error, changes.get(position))
            for name, position, attempts, at, error in rows
        ]

    def retry(self, consumer: str, position: int | None = None) -> int:
        """Have one, or all of a consumer, tried again; tell how many.

        :raises NotFound: there is no such consumer, or it has none at the position.
        """

        def work(session: Session) -> int:
            found = _chosen(session, consumer, position)
            session.run_many(_AGAIN, [(BEHIND, consumer, at) for at, _ in found])
            for subject in {subject for _, subject in found}:
                self._deliveries.promote(session, consumer, subject)
            return len(found)

        return self._outbox.database.write(work)

    def drop(self, consumer: str, position: int | None = None) -> int:
        """Forget one, or all of a consumer; tell how many.

        :raises NotFound: there is no such consumer, or it has none at the position.
        """

        def work(session: Session) -> int:
            found = _chosen(session, consumer, position)
            session.run_many(_DROP, [(consumer, at) for at, _ in found])
            return len(found)

        return self._outbox.database.write(work)


def _chosen(
    session: Session, consumer: str, position: int | None
) -> list[tuple[int, str]]:
    if not session.rows(_KNOWN, (consumer,)):
        raise _nobody(consumer)
    if position is None:
        rows = session.rows(_ALL, (consumer,))
    else:
        rows = session.rows(_ONE, (consumer, position))
        if not rows:
            raise NotFound(f"{consumer[:80]} has no dead letter at {position}")
    return [(row[0], row[1]) for row in rows]


def _nobody(consumer: str) -> NotFound:
    return NotFound(f"no consumer is named {consumer[:80]}")
