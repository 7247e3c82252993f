"""What is checked of a question while it is read, with what is known from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from fyr.core.model.naming import did_you_mean, shown
from fyr.search.reporting.asking.filters import conditions, find
from fyr.search.reporting.asking.knowing import Known, Problem, Problems
from fyr.search.reporting.asking.periods import time_zones
from fyr.search.reporting.asking.tree import EVERYTHING, Condition


def several(problems: Iterable[Problem]) -> PydanticCustomError:
    """Make of problems what a model's check may raise."""
    return PydanticCustomError("several", "", {"problems": tuple(problems)})


def is_column(*types: str, one: bool = False) -> Callable[[str, ValidationInfo], str]:
    """Make the check that a name is that of a column of these types.

    :param one: whether it is to have one value at most.
    """

    def check(name: str, info: ValidationInfo) -> str:
        known = cast(Known, info.context)
        if known.projection is None:
            return name
        try:
            column = find(known, name)
        except Problems as error:
            raise several(error.problems) from None
        if column.type not in types:
            listed = " or ".join(types)
            text = f"{name} is of type {column.type}, and one of {listed} is expected"
            raise several([Problem(text)])
        if one and column.many:
            raise several(
                [Problem(f"{name} may have many values, and one is expected")]
            )
        return name

    return check


def is_time_zone(name: str) -> str:
    """Check the name of a time zone."""
    if name not in time_zones():
        hint = did_you_mean(name, time_zones())
        raise several([Problem(f"{shown(name)} is no time zone{hint}")])
    return name


def read_filter(given: Any, info: ValidationInfo) -> Condition:
    """Read the filter of a question."""
    known = cast(Known, info.context)
    if not isinstance(given, str):
        raise several([Problem(f"a text is expected, found {shown(given)}")])
    if known.projection is None:
        return EVERYTHING
    try:
        return conditions(known, given)
    except Problems as error:
        raise several(error.problems) from None
