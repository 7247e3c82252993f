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
    """Have a consumer begin again after a position; tell how many events it has before it.

    Its dead letters and repeats from there on are forgotten, as they come again too.
    It goes back only: what it was not told yet is not skipped, wherever it is to begin.

    :raises NotFound: no consumer ever had this name.
    """

    def work(session: Session) -> int:
        known = session.rows(_KNOWN, (consumer,))
        if not known:
            raise NotFound(f"no consumer is named {consumer}")
        begin: int = max(0, min(after, known[0][0]))
        session.run(_BACK, (begin, consumer))
        Deliveries(outbox.database).forget(session, consumer, begin)
        return begin

    begin = outbox.database.write(work)
    return outbox.head() - begin


def replay_since(outbox: Outbox, consumer: str, moment: datetime) -> int:
    """Have a consumer begin again with the first event since a moment."""
    return replay(outbox, consumer, outbox.before(moment))
