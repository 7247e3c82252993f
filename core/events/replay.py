"""Replay: a consumer is told again of what it has been told already.

For a consumer that lost what it made of the events, or was wrong about them. How far
back it can go is bounded by ``events.keep_days``.
"""

from datetime import datetime

from fyr.core.errors import NotFound
from fyr.core.events.deliveries import Deliveries
from fyr.core.events.outbox import Outbox
from fyr.core.store.port import Session

_KNOWN = "SELECT position FROM consumer WHERE name = ?"
# Without an owner, whoever holds the consumer now can note nothing any more.
_BACK = """
    UPDATE consumer SET position = ?, owner = '', lease_until = 0, paused_until = 0,
           pauses = 0
    WHERE name = ?
"""


def replay(outbox: Outbox, consumer: str, after: int) -> int:
    """Have a consumer begin again after a position; tell how many events that are.

    Its dead letters and repeats from there on are forgotten, as they come again too.
    A position ahead of the consumer skips what lies between.

    :raises NotFound: no consumer ever had this name.
    """

    def work(session: Session) -> None:
        if not session.rows(_KNOWN, (consumer,)):
            raise NotFound(f"no consumer is named {consumer}")
        session.run(_BACK, (after, consumer))
        Deliveries(outbox.database).forget(session, consumer, after)

    after = max(0, min(after, outbox.head()))
    outbox.database.write(work)
    return outbox.head() - after


def replay_since(outbox: Outbox, consumer: str, moment: datetime) -> int:
    """Have a consumer begin again with the first event since a moment."""
    return replay(outbox, consumer, outbox.before(moment))
