"""The goal that relative alarm ranges stand on: which one is in force for a value.

A goal describes itself as ``reference-value``, addresses one ServiceRequest, names the
code of what is measured, and holds from its start to its due date, both included:
https://hl7.org/fhir/R4/goal.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from fyr.core import Resource
from fyr.core.workflow.timing import months_later
from fyr.plugins.rules.terms import (
    GOAL_DESCRIPTIONS,
    Code,
    codes_of,
    listed,
    number,
)
from fyr.search.extraction.converting import unit_of

_NOT_IN_FORCE = frozenset({"proposed", "rejected", "cancelled", "entered-in-error"})
_DAYS = {"s": 0, "min": 0, "h": 0, "d": 1, "wk": 7}


def targets(
    goals: Iterable[Resource], activity: str, codes: frozenset[Code], day: date
) -> list[Mapping[str, Any]]:
    """Tell the targets that hold for a code on a day, that of the latest start first.

    :param activity: reference to the ServiceRequest that the goal must address.
    """
    found = [
        (begins, target)
        for goal in goals
        if _is_reference_value(goal, activity)
        and (begins := _day(goal.get("startDate"))) is not None
        and begins <= day
        for target in listed(goal.get("target"))
        if isinstance(target, dict)
        and codes_of(target.get("measure")) & codes
        and day <= _ends(target, begins)
    ]
    found.sort(key=lambda one: one[0], reverse=True)
    return [target for _, target in found]


def target_value(target: Mapping[str, Any]) -> tuple[Decimal, str] | None:
    """Tell the number and the unit of a target; ``None`` when it has none."""
    quantity = target.get("detailQuantity")
    if isinstance(quantity, dict):
        value, unit = number(quantity.get("value")), unit_of(quantity)
    else:
        value, unit = number(target.get("detailInteger")), ""
    return None if value is None else (value, unit)


def _is_reference_value(goal: Resource, activity: str) -> bool:
    addressed = [
        one.get("reference")
        for one in listed(goal.get("addresses"))
        if isinstance(one, dict)
    ]
    return (
        goal.get("lifecycleStatus") not in _NOT_IN_FORCE
        and (GOAL_DESCRIPTIONS, "reference-value") in codes_of(goal.get("description"))
        and addressed == [activity]
    )


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except (TypeError, ValueError):
        return None


def _ends(target: Mapping[str, Any], begins: date) -> date:
    if (due := _day(target.get("dueDate"))) is not None:
        return due
    duration = target.get("dueDuration")
    if not isinstance(duration, dict):
        return date.max
    length, unit = number(duration.get("value")), duration.get("code")
    if length is None or not 0 <= length < 100_000:
        return date.max
    try:
        if unit in ("mo", "a"):
            return months_later(begins, int(length) * (12 if unit == "a" else 1))
        return begins + timedelta(days=int(length) * _DAYS[str(unit)])
    except (KeyError, OverflowError, ValueError):
        return date.max
