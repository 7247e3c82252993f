"""When something was measured, and the period that answers are about: pure.

https://hl7.org/fhir/R4/datatypes.html#dateTime: with a time there is always a zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fyr.core import Issue, Resource
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.measurements.submission import Entry

#: Elements that say when, by type; of a period its start counts first.
_WHEN: Mapping[str, tuple[str, ...]] = {
    "Observation": ("effectiveDateTime", "effectiveInstant", "effectivePeriod"),
    "QuestionnaireResponse": ("authored",),
    "Media": ("createdDateTime", "createdPeriod"),
}
_LONGEST_DATE = len("2026-11-26")
_DAY = timedelta(days=1)


def moment(text: object) -> datetime | None:
    """Tell the moment of a dateTime, the beginning of what it leaves open, in UTC.

    ``None`` for what is none.
    """
    if not isinstance(text, str):
        return None
    padded = f"{text}{'0001-01-01'[len(text) :]}" if len(text) < _LONGEST_DATE else text
    try:
        found = datetime.fromisoformat(padded)
    except ValueError:
        return None
    if found.tzinfo is None:
        return found.replace(tzinfo=UTC)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        return None


def latest(text: object) -> datetime | None:
    """Tell the last moment that a dateTime can mean, to the second."""
    found = moment(text)
    if found is None or not isinstance(text, str) or len(text) > _LONGEST_DATE:
        return found
    if len(text) == _LONGEST_DATE:
        after = found + _DAY
    elif len(text) > len("2026"):
        after = (found + 31 * _DAY).replace(day=1)
    else:
        after = (found + 366 * _DAY).replace(month=1, day=1)
    return after - timedelta(seconds=1)


def is_exact(text: object) -> bool:
    """Whether a dateTime has a time and a zone."""
    return isinstance(text, str) and "T" in text and moment(text) is not None


def when(resource: Resource) -> Any:
    """Tell the element that says when something was measured; ``None`` without."""
    for name in _WHEN.get(resource.get("resourceType", ""), ()):
        if name in resource:
            return resource[name]
    return None


def bounds(element: Any) -> tuple[datetime | None, datetime | None]:
    """Tell start and end of a dateTime or a Period; of one that is open ``None``."""
    if isinstance(element, Mapping):
        return moment(element.get("start")), moment(element.get("end"))
    return moment(element), moment(element)


def period_problems(entry: Entry) -> Iterator[Issue]:
    """Tell what is wrong with the effective period of a QuestionnaireResponse."""
    url = extensions.EFFECTIVE_PERIOD
    for found in extensions.extensions(entry.resource, url):
        place = entry.extension_at(url)[0]
        yield from _problems(found.get("valuePeriod", {}), f"{place}.value")


def _problems(period: Mapping[str, Any], place: str) -> Iterator[Issue]:
    ends = [name for name in ("start", "end") if name in period]
    if not ends:
        yield CODES["QUESTIONNAIRE_RESPONSE_EFFECTIVE_PERIOD_EMPTY_PERIOD"].issue(
            expression=[place]
        )
    for name in ends:
        if not is_exact(period[name]):
            yield CODES[
                "QUESTIONNAIRE_RESPONSE_EFFECTIVE_PERIOD_INVALID_DATETIME"
            ].issue(name, expression=[f"{place}.{name}"])
    start, end = bounds(period)
    if start is not None and end is not None and start > end:
        yield CODES["QUESTIONNAIRE_RESPONSE_EFFECTIVE_PERIOD_START_AFTER_END"].issue(
            expression=[place]
        )
