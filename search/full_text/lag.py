"""How far the full-text index is behind what is stored, as an answer tells it."""

from fyr.core.clock import instant
from fyr.core.errors import Issue
from fyr.core.store.port import Session
from fyr.search.full_text.index import NAME

_POSITION = "SELECT position FROM consumer WHERE name = ?"
_FAILED = "SELECT COUNT(*) FROM delivery WHERE consumer = ?"
_REBUILT = "SELECT 1 FROM job WHERE subject = ?"
#: The moment of the first event that follows a position.
_NEXT = {
    "sqlite": "SELECT at FROM outbox WHERE seq > ? ORDER BY seq LIMIT 1",
    "postgresql": """
        SELECT at FROM outbox WHERE position > ? ORDER BY position LIMIT 1
    """,
}
#: Committed, and no worker has looked at it yet.
_UNSEQUENCED = "SELECT at FROM outbox WHERE position IS NULL ORDER BY seq LIMIT 1"


def lag(session: Session) -> list[Issue]:
    """Tell what may not be found yet; nothing when the index has everything."""
    told = []
    since = _since(session)
    if since is not None:
        told.append(f"it is as of {instant(since)}, what was stored later is not in it")
    failed = session.rows(_FAILED, (NAME,))[0][0]
    if failed:
        told.append(f"{failed:,} changes could not be taken in yet")
    if session.rows(_REBUILT, (f"{NAME}:all",)):
        told.append("what was stored before it was switched on is still being taken in")
    return [_issue(one) for one in told]


def _since(session: Session) -> int | None:
    known = session.rows(_POSITION, (NAME,))
    found = session.rows(_NEXT[session.dialect], (known[0][0] if known else 0,))
    if session.dialect == "postgresql":
        found += session.rows(_UNSEQUENCED)
    return min((row[0] for row in found), default=None)


def _issue(text: str) -> Issue:
    return Issue(
        "informational", f"the full-text index lags: {text}", severity="information"
    )
