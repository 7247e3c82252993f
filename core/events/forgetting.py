"""Forgetting a consumer: its plugin is not there any more, and nobody tells it anything."""

from fyr.core.clock import Clock, to_millis
from fyr.core.errors import Conflict, NotFound
from fyr.core.events.outbox import Outbox
from fyr.core.store.port import Session

_ONE = "SELECT lease_until FROM consumer WHERE name = ?"
_KEPT = "DELETE FROM delivery WHERE consumer = ?"
_FORGET = "DELETE FROM consumer WHERE name = ?"


def forget_consumer(outbox: Outbox, name: str, clock: Clock) -> None:
    """Forget how far a consumer was, and its dead letters: it holds no event back then.

    Where its plugin comes back, it begins as a new one.

    :raises NotFound: no consumer ever had this name.
    :raises Conflict: a worker is telling it something.
    """

    def work(session: Session) -> None:
        rows = session.rows(_ONE, (name,))
        if not rows:
            raise NotFound(f"no consumer is named {name}")
        if rows[0][0] >= to_millis(clock()):
            raise Conflict(f"a worker is telling {name} something")
        session.run(_KEPT, (name,))
        session.run(_FORGET, (name,))

    outbox.database.write(work)
