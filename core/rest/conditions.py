"""What a request makes itself depend on: ``If-Match``, ``If-None-Match`` and dates.

https://hl7.org/fhir/R4/http.html#cread, #concurrency: version ids stand in weak ETags.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from fyr.core.clock import to_millis
from fyr.core.errors import Invalid

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


@lru_cache(maxsize=1024)
def versions(name: str, header: str) -> tuple[str, ...]:
    """Tell the version ids of a list of ETags; ``("*",)`` for any version.

    :raises Invalid: it is not a list of ETags.
    """
    if header.strip() == "*":
        return ("*",)
    parts = [part.strip() for part in header.split(",")]
    found = [match[1] for part in parts if (match := _TAG.fullmatch(part))]
    if len(found) != len(parts):
        raise Invalid(f'{name} is to hold ETags such as W/"3", not {header[:100]!r}')
    return tuple(found)


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
