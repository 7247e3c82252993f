"""Rows of a table in words, for pages, drawings and the command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Set
from typing import Any

from fyr.core.workflow.machine import ANYBODY, Machine, Step

#: What is shown for the beginning, and for the end that a delete is.
NEW, GONE = "(new)", "(deleted)"


def users(by: Set[str]) -> str:
    """Tell who may do a step."""
    return "anybody" if by == ANYBODY else ", ".join(sorted(by))


def called(function: Callable[..., Any]) -> str:
    """Tell a guard or an effect by its name, in words."""
    name = getattr(function, "__name__", "")
    if not name or name == "<lambda>":
        name = getattr(getattr(function, "func", None), "__name__", "")
    return (name or type(function).__name__).strip("_").replace("_", " ")


def explained(function: Callable[..., Any]) -> str:
    """Tell the first sentence of what a guard or an effect says of itself, or its name."""
    own = getattr(function, "func", function)
    is_ours = inspect.isroutine(own)
    first = (inspect.getdoc(own) or "").partition("\n\n")[0] if is_ours else ""
    return " ".join(first.split()) or called(function)


def ends(step: Step) -> tuple[str, str]:
    """Tell the states of a step."""
    return step.start or NEW, step.end or GONE


def label(step: Step) -> str:
    """Tell a step in a few words: who, and under which condition."""
    conditions = ", ".join(called(one) for one in step.when)
    return f"{users(step.by)} [{conditions}]" if conditions else users(step.by)


def moves(machine: Machine) -> list[Step]:
    """Give the rows that lead to another state, in their order."""
    return [one for one in machine.steps if one.start != one.end]
