"""Which rules a measurement is for, and the earlier data that they ask for.

``ActivityDefinition.library``, else ``PlanDefinition.library``; of those with a type the
ones for automated processing. ``Library.dataRequirement`` asks for earlier resources of
the same activity: https://hl7.org/fhir/R4/metadatatypes.html#DataRequirement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from fyr.core import Issue, Resource
from fyr.core.workflow.timing import first_of
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.references import reference_to
from fyr.plugins.clinical.tasks.plans import by_canonical, definition_of
from fyr.plugins.clinical.tasks.terms import MEASUREMENTS, codes
from fyr.plugins.clinical.times import second

if TYPE_CHECKING:
    from fyr.core import Acting

PROCESSING = "automated-processing"
#: The farthest that rules look back, and the most that one requirement is given.
MOST_MONTHS = 12
MOST_RESOURCES = 500

_DAYS = {"d": 1.0, "wk": 7.0, "mo": 30.4375, "a": 365.25}
_SECONDS = {"s": 1, "min": 60, "h": 3600}
#: type -> paths of its date, and the search parameter of it
_DATES: Mapping[str, tuple[frozenset[str], str]] = {
    "Observation": (frozenset({"effective", "effectiveDateTime", "date"}), "date"),
    "QuestionnaireResponse": (frozenset({"authored"}), "authored"),
    "Media": (frozenset({"created", "createdDateTime"}), "created"),
}


class Unusable(Exception):
    """A requirement cannot be met; holds the issue that says why."""

    def __init__(self, issue: Issue) -> None:
        """Take the issue."""
        super().__init__(issue.diagnostics)
        self.issue = issue


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one requirement asks for."""

    name: str
    kind: str
    since: datetime
    most: int
    newest_first: bool


def libraries_of(
    acting: Acting, activity: Resource | None, plan: Resource | None
) -> tuple[list[Resource], list[str]]:
    """Tell the rules for an activity, and the URLs of those that are not there."""
    for resource, kind in (
        (activity, "ActivityDefinition"),
        (plan, "PlanDefinition"),
    ):
        definition = definition_of(acting, resource, kind)
        named = list((definition or {}).get("library", ()))
        found = [(url, by_canonical(acting, url, "Library")) for url in named]
        there = [one for _, one in found if one is not None and is_for_processing(one)]
        missing = [url for url, one in found if one is None]
        if there or missing:
            return there, missing
    return [], []


def is_for_processing(library: Resource) -> bool:
    """Whether measurements are to be judged by a library, by its type."""
    kinds = codes(library.get("type"))
    return PROCESSING in kinds or not kinds or "logic-library" in kinds


def history_of(
    acting: Acting,
    library: Resource,
    activity: str,
    now: datetime,
    but: Sequence[str],
) -> tuple[dict[str, list[Resource]], list[Issue]]:
    """Find the earlier data that a library asks for, and what is wrong with its asking.

    :param activity: the ServiceRequest that the data must be for.
    :param but: references of what is judged now.
    """
    every, issues = requirements_of(library, now)
    known = set(but)
    found = {one.name: _fetched(acting, one, activity, known) for one in every}
    return found, issues


def requirements_of(
    library: Resource, now: datetime
) -> tuple[list[Wanted], list[Issue]]:
    """Read what a library asks for, and tell what is wrong with its asking."""
    every: list[Wanted] = []
    issues: list[Issue] = []
    for place, one in enumerate(library.get("dataRequirement", ())):
        try:
            wanted = wanted_by(one, library.get("id", "of this request"), now)
        except Unusable as unusable:
            where = f"Library.dataRequirement[{place}]"
            issues.append(replace(unusable.issue, expression=(where,)))
            continue
        if wanted is not None:
            every.append(wanted)
    return every, issues


def wanted_by(
    requirement: Mapping[str, Any], library: str, now: datetime
) -> Wanted | None:
    """Read a requirement; ``None`` for one that asks for no measurements.

    :raises Unusable: it asks for too much, or in a way that is not understood.
    """
    kind = requirement.get("type", "")
    if kind not in MEASUREMENTS:
        return None
    limit = requirement.get("limit")
    filters = requirement.get("dateFilter", ())
    since = _since(filters, kind, library, now, limit)
    if since is None and limit is None:
        raise Unusable(
            CODES["LIBRARY_EVALUATE_MISSING_DURATION_OR_LIMIT"].issue(library)
        )
    if limit is not None and limit > MOST_RESOURCES:
        code = CODES["LIBRARY_EVALUATE_LIMIT_EXCEEDED"]
        raise Unusable(code.issue(limit, MOST_RESOURCES, library))
    return Wanted(
        str(requirement.get("id") or kind),
        kind,
        since or now - timedelta(days=MOST_MONTHS * _DAYS["mo"]),
        limit or MOST_RESOURCES,
        _newest_first(requirement.get("sort", ()), kind, library),
    )


def _since(
    filters: Sequence[Mapping[str, Any]],
    kind: str,
    library: str,
    now: datetime,
    limit: Any,
) -> datetime | None:
    for one in filters:
        if "path" not in one and "searchParam" not in one:
            raise Unusable(CODES["LIBRARY_EVALUATE_DATE_FILTER_EMPTY"].issue(library))
        path = one.get("path", one.get("searchParam"))
        if path not in _DATES[kind][0]:
            code = CODES["LIBRARY_EVALUATE_DATE_FILTER_PATH_NOT_RECOGNIZED"]
            raise Unusable(code.issue(path, library))
        duration = one.get("valueDuration", {})
        value, unit = duration.get("value"), duration.get("code")
        if value is None:
            code = CODES["LIBRARY_EVALUATE_MISSING_DURATION_OR_LIMIT"]
            raise Unusable(code.issue(library))
        if unit not in _DAYS and unit not in _SECONDS:
            code = CODES["LIBRARY_EVALUATE_DURATION_UNIT_CODE_UNKNOWN"]
            raise Unusable(code.issue(unit))
        days = float(value) * _DAYS.get(unit, _SECONDS.get(unit, 0) / 86400)
        if not 0 <= days <= MOST_MONTHS * _DAYS["mo"] + 1:
            code = CODES["LIBRARY_EVALUATE_LIMITS_EXCEEDED"]
            said = f"{value} {unit}", MOST_MONTHS, limit, MOST_RESOURCES, library
            raise Unusable(code.issue(*said))
        return now - timedelta(days=days)
    return None


def _newest_first(sorts: Sequence[Mapping[str, Any]], kind: str, library: str) -> bool:
    for one in sorts:
        path = one.get("path")
        if not path:
            raise Unusable(CODES["LIBRARY_EVALUATE_SORT_EMPTY"].issue(library))
        if path not in _DATES[kind][0]:
            code = CODES["LIBRARY_EVALUATE_SORT_PATH_NOT_RECOGNIZED"]
            raise Unusable(code.issue(path, library))
        direction = one.get("direction")
        if direction not in ("ascending", "descending"):
            code = CODES["LIBRARY_EVALUATE_SORT_DIRECTION_NOT_RECOGNIZED"]
            raise Unusable(code.issue(direction, library))
        return bool(direction == "descending")
    return True


def _fetched(
    acting: Acting, wanted: Wanted, activity: str, but: set[str]
) -> list[Resource]:
    """Find what a requirement asks for; what was invalidated is no data."""
    parameter = _DATES[wanted.kind][1]
    found = [
        one
        for one in acting.find(
            wanted.kind,
            ("based-on", activity),
            (parameter, f"ge{second(wanted.since)}"),
        )
        if reference_to(one) not in but and one.get("status") != "entered-in-error"
    ]
    found.sort(key=_measured, reverse=True)
    kept = found[: wanted.most]
    return kept if wanted.newest_first else kept[::-1]


def _measured(resource: Resource) -> float:
    period = resource.get("effectivePeriod") or resource.get("createdPeriod") or {}
    text = (
        resource.get("effectiveDateTime")
        or resource.get("authored")
        or resource.get("createdDateTime")
        or period.get("start")
    )
    moment = first_of(text)
    return moment.timestamp() if moment is not None else 0.0
