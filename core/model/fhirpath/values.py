"""Dates, times and quantities as FHIRPath compares them.

A date may be partial: comparing ``2020`` with ``2020-05`` has no answer, which is
``None`` here: http://hl7.org/fhirpath/N1/#comparison.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from fyr.core.errors import Invalid

_MOMENT = re.compile(
    r"(?:(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?)?"
    r"(?:T?(\d{2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?|T(\d{2})|T)?"
    r"(Z|[+-]\d{2}:\d{2})?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit: a UCUM code or a calendar unit such as ``day``."""

    value: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, dateTime, instant or time, as precise as it was written.

    ``fields`` are year, month, day, hour, minute and second as far as they are
    known; for a time they start with the hour.
    """

    text: str
    kind: str
    fields: tuple[Decimal, ...]
    zone: timedelta | None = None

    @classmethod
    def literal(cls, text: str) -> "Moment":
        """Read ``@2020-01-31T08:00`` or ``@T08:00``."""
        moment = cls.read(text[1:])
        if moment is None:
            raise Invalid(f"FHIRPath: {text!r} is no date or time")
        return moment

    @classmethod
    def read(cls, text: str) -> "Moment | None":
        """Read the value of a date, dateTime, instant or time."""
        match = _MOMENT.fullmatch(text)
        if match is None or not text:
            return None
        *parts, hour, zone = match.groups()
        if hour:
            parts[3] = hour
        date, time = parts[:3], parts[3:]
        known = date if date[0] else []
        fields = tuple(Decimal(part) for part in (*known, *time) if part is not None)
        if not date[0]:
            kind = "Time"
        else:
            kind = "DateTime" if "T" in text else "Date"
        return cls(text.removeprefix("T"), kind, fields, _offset(zone))

    def compared(self, other: "Moment") -> int | None:
        """Tell -1, 0 or 1; ``None`` when precision or a time zone leaves it open."""
        if (self.kind == "Time") != (other.kind == "Time"):
            return None
        if (self.zone is None) != (other.zone is None) and _both_have_hours(
            self, other
        ):
            return None
        mine, others = self._in_utc(), other._in_utc()
        for left, right in zip(mine, others, strict=False):
            if left != right:
                return -1 if left < right else 1
        same_precision = min(len(mine), 6) == min(len(others), 6)
        return 0 if same_precision else None

    def _in_utc(self) -> tuple[Decimal, ...]:
        if not self.zone or len(self.fields) < 5:
            return self.fields
        year, month, day, hour, minute = map(int, self.fields[:5])
        try:
            moved = datetime(year, month, day, hour, minute, tzinfo=UTC) - self.zone
        except (ValueError, OverflowError):
            return self.fields
        date = (moved.year, moved.month, moved.day, moved.hour, moved.minute)
        return (*map(Decimal, date), *self.fields[5:])


def _both_have_hours(left: Moment, right: Moment) -> bool:
    return min(len(left.fields), len(right.fields)) > 3


def _offset(zone: str | None) -> timedelta | None:
    if zone is None:
        return None
    if zone == "Z":
        return timedelta(0)
    distance = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
    return distance if zone[0] == "+" else -distance
