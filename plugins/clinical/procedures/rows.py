"""Rows of an overview: what is expected of a patient for one request, and what came.

https://ehealth.sundhed.dk/fhir/OperationDefinition/-s-get-patient-procedures: a row for
each slot of the current version of a request, and one for all that was submitted for what
is no such slot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import islice
from typing import NamedTuple

from fyr.core.workflow.timing import DANISH, Kind, Occurrence, slots
from fyr.plugins.clinical.procedures.submissions import EXTRA, Submission

_Key = tuple[str, str, datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Requested:
    """A request, as it is now."""

    #: ``ServiceRequest/1``
    reference: str
    version: str
    #: ``None``: nothing says when
    occurrence: Occurrence | None
    #: whether it may be done outside of its slots too
    extra: bool = False


class Row(NamedTuple):
    """What is expected and what came, for one slot or without one."""

    version: str
    #: Resolved, Unresolved, Adhoc or Extra
    type: str
    start: datetime | None = None
    end: datetime | None = None
    #: ``None``: this row expects nothing, as it is about what came
    requested: int | None = None
    submitted: int = 0
    timely: int = 0
    invalidated: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """Rows of one request, and what is odd about them, in sentences."""

    rows: Sequence[Row]
    warnings: Sequence[str]


def overview_of(
    request: Requested,
    submitted: Iterable[Submission],
    window: tuple[datetime, datetime],
    *,
    extra: bool = False,
    most: int | None = None,
    zone: tzinfo = DANISH,
) -> Overview:
    """Tell the rows of a request in a window.

    First what may be done at any time, then slots in their order, then what came for
    none of them, the current version first.

    :param submitted: for this request, also for earlier versions of it.
    :param window: both ends are in it.
    :param extra: whether a row tells that it may be done outside of its slots.
    :param most: rows that are wanted; one more is told where there are more.
    """
    came: dict[_Key, list[Submission]] = {}
    for one in submitted:
        if one.within(*window) and (extra or one.type != EXTRA):
            key = (one.version, one.type, one.start, one.end)
            came.setdefault(key, []).append(one)
    rows = []
    limit = None if most is None else most + 1
    for row in islice(_expected(request, window, extra, zone), limit):
        found = came.pop((row.version, row.type, row.start, row.end), None)
        rows.append(_counted(row, found) if found else row)
    strays = sorted(came, key=lambda key: _order(key, request.version))
    rows += [_counted(Row(*key), came[key]) for key in strays]
    return Overview(rows, list(_warnings(request, strays)))


def _expected(
    request: Requested,
    window: tuple[datetime, datetime],
    extra: bool,
    zone: tzinfo,
) -> Iterator[Row]:
    """Tell what the current version expects, before anything came."""
    if extra and request.extra:
        yield Row(request.version, EXTRA)
    occurrence = request.occurrence
    kind = occurrence.kind if occurrence is not None else Kind.ADHOC
    if occurrence is None or kind is not Kind.RESOLVED:
        yield Row(request.version, kind)
        return
    for slot in slots(occurrence, *window, zone):
        yield Row(request.version, kind, slot.start, slot.end, requested=slot.expected)


def _counted(row: Row, came: Sequence[Submission]) -> Row:
    timely = [one for one in came if one.timely] if row.type == Kind.RESOLVED else ()
    invalid = [one for one in came if not one.valid]
    return row._replace(
        submitted=count(came), timely=count(timely), invalidated=count(invalid)
    )


def count(came: Iterable[Submission]) -> int:
    """Count measurements: one that has several codes (blood pressure) is one."""
    codes = [one.code for one in came]
    # Most slots are met once, and there are thousands of them.
    return max(Counter(codes).values()) if len(codes) > 1 else len(codes)


def _order(key: _Key, current: str) -> tuple[bool, int, bool, float, str]:
    version, type_, start, _ = key
    number = int(version) if version.isdecimal() else 0
    moment = start.timestamp() if start is not None else 0.0
    return version != current, -number, start is None, moment, type_


def _warnings(request: Requested, strays: Sequence[_Key]) -> Iterator[str]:
    name = f"{request.reference}/_history/{request.version}"
    if any(
        version == request.version and type_ == Kind.RESOLVED
        for version, type_, _, _ in strays
    ):
        yield f"Something was measured for a time that is no slot of {name}."
    if any(
        version != request.version and type_ == Kind.UNRESOLVED
        for version, type_, _, _ in strays
    ):
        yield (
            "Something was measured without a slot for another version than"
            f" {name}, and what was expected then is not known."
        )
