"""The period that an overview is asked for; a day stands for all of it, local time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from fyr.core import Issue, broken_rule
from fyr.core.workflow.timing import moment_of

if TYPE_CHECKING:
    from fyr.plugins.clinical.procedures.submissions import Span

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def period_of(start: Any, end: Any, zone: tzinfo) -> tuple[Span | None, list[Issue]]:
    """Read a period, both ends of it included; or tell all that is wrong with it."""
    first, last = _first(start, zone), _last(end, zone)
    issues = [
        broken_rule(
            f"{name} is to be a date, or a time with a time zone",
            f"Parameters.parameter.where(name = '{name}')",
        )
        for name, found in (("start", first), ("end", last))
        if found is None
    ]
    if first is None or last is None:
        return None, issues
    if last < first:
        place = "Parameters.parameter.where(name = 'end')"
        return None, [broken_rule("the end lies before the start", place)]
    return (first, last), []


def _first(value: Any, zone: tzinfo) -> datetime | None:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return moment_of(value)
    try:
        day = datetime.fromisoformat(value).date()
        return datetime.combine(day, time(), zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _last(value: Any, zone: tzinfo) -> datetime | None:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return moment_of(value)
    try:
        day = datetime.fromisoformat(value).date() + timedelta(days=1)
        end = datetime.combine(day, time(), zone).astimezone(UTC)
        return end - timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None
