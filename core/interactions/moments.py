"""FHIR's dates and instants as spans of time: what ``_since`` and ``_at`` are given.

https://hl7.org/fhir/R4/datatypes.html#dateTime: as exact as it is written, in UTC where
it names no zone.
"""

import re
from datetime import UTC, datetime, timedelta

from fyr.core.clock import to_millis
from fyr.core.errors import Invalid

#: First and last millisecond since 1970, UTC.
Span = tuple[int, int]

_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)"
    r"(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?",
    re.ASCII,
)


def span_of(name: str, text: str) -> Span:
    """Tell the first and the last millisecond of a date, a minute, an instant.

    :param name: of the parameter, for the message.
    :raises Invalid: it is none.
    """
    # In a query an unescaped plus sign is a space.
    match = _DATE.fullmatch(text.strip().replace(" ", "+"))
    try:
        if match is None:
            raise ValueError(text)
        low, high = _limits(match)
    except (ValueError, OverflowError):
        raise Invalid(
            f"{name} is to be a date or an instant, not {text[:40]!r}"
        ) from None
    return to_millis(low), to_millis(high) - 1


def _limits(match: re.Match[str]) -> tuple[datetime, datetime]:
    """Tell the first moment, and the first one after."""
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    millis = (fraction or "")[:3]
    text = (
        f"{year}-{month or '01'}-{day or '01'}T{hour or '00'}:{minute or '00'}"
        f":{second or '00'}.{millis:0<3}{(zone or 'Z').replace('Z', '+00:00')}"
    )
    low = datetime.fromisoformat(text).astimezone(UTC)
    if month is None:
        return low, low.replace(year=low.year + 1)
    if day is None:
        return low, (low + timedelta(days=31)).replace(day=1)
    if hour is None:
        return low, low + timedelta(days=1)
    if second is None:
        return low, low + timedelta(minutes=1)
    if fraction is None:
        return low, low + timedelta(seconds=1)
    return low, low + timedelta(milliseconds=10 ** (3 - len(millis)))
