"""Dates as HTTP writes them: https://hl7.org/fhir/R4/http.html#cread.

Version ids in ETags are read by :mod:`fyr.core.interactions.preconditions`; the same
short headers come again and again, so what they hold is remembered.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from fyr.core.clock import to_millis
from fyr.core.interactions.preconditions import tags

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


versions = lru_cache(maxsize=128)(tags)


def modified_since(header: str) -> int | None:
    """Tell a date of HTTP as milliseconds; ``None`` when it is none, as HTTP asks."""
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return to_millis(moment)


@lru_cache(maxsize=4096)
def http_date(seconds: int) -> str:
    """Write a moment as ``Last-Modified`` has it: ``Tue, 24 Nov 2026 02:05:00 GMT``."""
    at = datetime.fromtimestamp(seconds, UTC)
    day, month = _DAYS[at.weekday()], _MONTHS[at.month - 1]
    return f"{day}, {at.day:02d} {month} {at:%Y %H:%M:%S} GMT"
