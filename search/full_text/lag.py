"""How far the full-text index is behind what is stored, as an answer tells it."""

from fyr.core.clock import instant
from fyr.core.errors import Issue
from fyr.core.store.port import Session
from fyr.search.full_text.index import NAME
from fyr.search.lag import since

_FAILED = "SELECT COUNT(*) FROM delivery WHERE consumer = ?"
_REBUILT = "SELECT 1 FROM job WHERE subject = ?"


def lag(session: Session) -> list[Issue]:
    """Tell what may not be found yet; nothing when the index has everything."""
    told = []
    behind = since(session, NAME)
    if behind is not None:
        told.append(
            f"it is as of {instant(behind)}, what was stored later is not in it"
        )
    failed = session.rows(_FAILED, (NAME,))[0][0]
    if failed:
        told.append(f"{failed:,} changes could not be taken in yet")
    if session.rows(_REBUILT, (f"{NAME}:all",)):
        told.append("what was stored before it was switched on is still being taken in")
    return [_issue(one) for one in told]


def _issue(text: str) -> Issue:
    return Issue(
        "informational", f"the full-text index lags: {text}", severity="information"
    )
