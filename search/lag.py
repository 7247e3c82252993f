"""How far a consumer that keeps an index is behind what is stored."""

from fyr.core.store.port import Session

_POSITION = "SELECT position FROM consumer WHERE name = ?"
#: The moments of the first events that follow a position. A moment is taken before the
#: commit, so that the first event need not have the earliest.
_NEXT = {
    "sqlite": "SELECT at FROM outbox WHERE seq > ? ORDER BY seq LIMIT 200",
    "postgresql": """
        SELECT at FROM outbox WHERE position > ? ORDER BY position LIMIT 200
    """,
}
#: Committed, and no worker has looked at it yet.
_UNSEQUENCED = "SELECT at FROM outbox WHERE position IS NULL ORDER BY seq LIMIT 200"


def since(session: Session, consumer: str) -> int | None:
    """Tell when the first change was made that a consumer was not told of yet.

    :return: milliseconds since 1970, UTC; ``None``: there is no such change.
    """
    known = session.rows(_POSITION, (consumer,))
    found = session.rows(_NEXT[session.dialect], (known[0][0] if known else 0,))
    if session.dialect == "postgresql":
        found += session.rows(_UNSEQUENCED)
    return min((row[0] for row in found), default=None)
