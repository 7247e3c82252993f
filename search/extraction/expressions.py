"""The part of FHIRPath that search parameters are written in, as steps.

https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression.
A path, ``as T`` and ``as(T)``, ``where(x='v')``, ``where(resolve() is T)``: all but two
of R4's expressions have these forms.
"""

import re
from dataclasses import dataclass


class NotSimple(ValueError):
    """An expression of another form."""


@dataclass(frozen=True, slots=True)
class Name:
    """Go to an element; ``value`` is each of ``value[x]``."""

    name: str


@dataclass(frozen=True, slots=True)
class OfType:
    """Keep what has the type."""

    type: str


@dataclass(frozen=True, slots=True)
class Where:
    """Keep what has a value in an element of its own."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Resolves:
    """Keep references to resources of the type."""

    type: str


Step = Name | OfType | Where | Resolves

_STEP = re.compile(
    r"""
      \.where\(resolve\(\)\ is\ (?P<resolves>\w+)\)
    | \.where\((?P<name>\w+)='(?P<value>[^']*)'\)
    | \.as\((?P<of>\w+)\)
    | \ as\ (?P<as>\w+)\)
    | \.(?P<child>\w+)(?!\()
    """,
    re.VERBOSE | re.ASCII,
)
_ROOT = re.compile(r"\(?([A-Z]\w*)", re.ASCII)


def parse(part: str) -> tuple[str, tuple[Step, ...]]:
    """Read one part of a union: the type that it begins at, and its steps.

    :raises NotSimple: it has another form.
    """
    root = _ROOT.match(part)
    if root is None:
        raise NotSimple(part)
    steps: list[Step] = []
    at = root.end()
    while at < len(part):
        found = _STEP.match(part, at)
        if found is None:
            raise NotSimple(part)
        steps.append(_step(found))
        at = found.end()
    return root.group(1), tuple(steps)


def _step(found: re.Match[str]) -> Step:
    if found["resolves"]:
        return Resolves(found["resolves"])
    if found["name"]:
        return Where(found["name"], found["value"])
    if found["child"]:
        return Name(found["child"])
    return OfType(found["of"] or found["as"])


def alternatives(expression: str) -> list[str]:
    """Split a union that begins at an element: ``value.as(Quantity) | value.as(Range)``."""
    return [part.strip() for part in expression.split("|")]


def parts_of(expression: str, base: str) -> list[str]:
    """Split a union and keep the parts that begin at a type, each of them once.

    A part without a type in front (``name | alias``) begins at any of them.
    """
    parts = []
    for text in expression.split("|"):
        part = text.strip()
        root = _ROOT.match(part)
        if root is None and part:
            part = f"{base}.{part}"
        elif root is None or root.group(1) != base:
            continue
        if part not in parts:
            parts.append(part)
    return parts
