"""The last years of a synthetic record, when whole lives are more than is wanted."""

import re
from typing import Any

from bundles import references

#: Elements that tell when something was, the first that a resource has counts.
_WHEN = (
    "effectiveDateTime",
    "effectivePeriod",
    "performedDateTime",
    "performedPeriod",
    "occurrenceDateTime",
    "occurrencePeriod",
    "period",
    "billablePeriod",
    "authoredOn",
    "started",
    "onsetDateTime",
    "recordedDate",
    "issued",
    "date",
    "created",
    "startDate",
)
_YEAR = re.compile(r"(\d{4})(.*)", re.DOTALL)


def recent(bundle: dict[str, Any], years: int) -> dict[str, Any]:
    """Give a bundle with what happened in the last years before its newest event.

    The patient stays, and whatever the kept entries refer to; other entries that tell no
    time (places, people) go. References stay whole: nothing points at what was left out.
    """
    entries = {entry["fullUrl"]: entry for entry in bundle["entry"]}
    moments = {url: _when(entry["resource"]) for url, entry in entries.items()}
    first = _before(max(filter(None, moments.values()), default=""), years)
    todo = [
        url
        for url, entry in entries.items()
        if _kind(entry) == "Patient"
        or (_kind(entry) != "Provenance" and moments[url] > first)
    ]
    kept: set[str] = set()
    while todo:
        url = todo.pop()
        if url in entries and url not in kept:
            kept.add(url)
            todo += references(entries[url]["resource"])
    return {**bundle, "entry": [e for url, e in entries.items() if url in kept]}


def _kind(entry: dict[str, Any]) -> str:
    return str(entry["resource"]["resourceType"])


def _when(resource: dict[str, Any]) -> str:
    for name in _WHEN:
        value = resource.get(name)
        if isinstance(value, dict):
            value = value.get("start")
        if isinstance(value, str):
            return value
    return ""


def _before(moment: str, years: int) -> str:
    found = _YEAR.match(moment)
    return f"{int(found[1]) - years:04d}{found[2]}" if found else ""
