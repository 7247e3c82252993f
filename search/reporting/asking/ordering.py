"""Which groups are told, and in which order: ``having`` and ``sort``.

Both look at all groups of an answer; no index is asked for them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from functools import total_ordering
from typing import Any, TypeAlias

from fyr.search.reporting.asking.language import (
    AllHold,
    Compared,
    Having,
    HoldsNot,
    OneHolds,
)
from fyr.search.reporting.asking.plan import Group, Plan

#: What stands for a value in comparisons: nulls are last.
Place: TypeAlias = tuple[bool, Any]

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    one: getattr(operator, one) for one in ("eq", "ne", "gt", "ge", "lt", "le")
}


def holds(having: Having, values: Mapping[str, float | None]) -> bool:
    """Tell whether the numbers of a group are as they should be."""
    match having:
        case Compared(metric=name):
            value = values[name]
            return value is not None and all(
                _COMPARE[how](value, bound) for how, bound in having.bounds().items()
            )
        case AllHold(and_=parts):
            return all(holds(one, values) for one in parts)
        case OneHolds(or_=parts):
            return any(holds(one, values) for one in parts)
        case HoldsNot(not_=part):
            return not holds(part, values)


def position(plan: Plan, group: Group) -> list[Any]:
    """Give the values that a group is sorted by: what was asked for, then its keys."""
    keys = dict(zip((one.name for one in plan.keys), group.key, strict=True))
    known = {**group.values, **keys}
    return [*(known[one.name] for one in plan.sort), *group.key]


def place(plan: Plan, values: Iterable[Any]) -> tuple[Place, ...]:
    """Make of a position what can be compared."""
    down = [one.descending for one in plan.sort] + [False] * len(plan.keys)
    return tuple(
        (value is None, 0 if value is None else _Down(value) if reverse else value)
        for value, reverse in zip(values, down, strict=True)
    )


@total_ordering
class _Down:
    """A value that comes before the smaller ones."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Down) and bool(self._value == other._value)

    def __lt__(self, other: _Down) -> bool:
        return bool(self._value > other._value)
