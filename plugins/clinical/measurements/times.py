"""When something was measured, and the period that answers are about: pure.

https://hl7.org/fhir/R4/datatypes.html#dateTime: with a time there is always a zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from fyr.core import Issue, Resource
from fyr.core.workflow.timing import first_of
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.measurements.submission import Entry

#: Elements that say when, by type; of a period its start counts first.
_WHEN: Mapping[str, tuple[str, ...]] = {
    "Observation": ("effectiveDateTime", "effectiveInstant", "effectivePeriod"),
    "QuestionnaireResponse": ("authored",),
    "Media": ("createdDateTime", "createdPeriod"),
}


def is_exact(text: object) -> bool:
    """Whether a dateTime has a time and a zone."""
    return isinstance(text, str) and "T" in text and first_of(text) is not None


def when(resource: Resource) -> Any:
    """Tell the element that says when something was measured; ``None`` without."""
    for name in _WHEN.get(resource.get("resourceType", ""), ()):
        if name in resource:
            return resource[name]
    return None


def bounds(element: Any) -> tuple[datetime | None, datetime | None]:
    """Tell start and end of a dateTime or a Period; of one that is open ``None``."""
    if isinstance(element, Mapping):
        return first_of(element.get("start")), first_of(element.get("end"))
    return first_of(element), first_of(element)


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
