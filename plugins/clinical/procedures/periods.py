"""The period that an overview is asked for; a day stands for all of it, local time."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from fyr.core import Issue, broken_rule
from fyr.core.workflow.timing import first_of, last_of, moment_of

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
    return first_of(value, zone) if _is_day(value) else moment_of(value)


def _last(value: Any, zone: tzinfo) -> datetime | None:
    return last_of(value, zone) if _is_day(value) else moment_of(value)


def _is_day(value: Any) -> bool:
    return isinstance(value, str) and bool(_DAY.fullmatch(value))
