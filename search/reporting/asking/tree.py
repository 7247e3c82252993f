"""What a filter says of a row, in the few forms that both compilers know.

A condition on a column holds when one of its values meets it; of a column without a value
none does but :class:`Missing`. :class:`Not` turns around whatever it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from fyr.core.declarations.projections import Column


@dataclass(frozen=True, slots=True)
class OneOf:
    """A value is one of some."""

    column: Column
    values: tuple[str | bool, ...]


@dataclass(frozen=True, slots=True)
class Begins:
    """A text begins so."""

    column: Column
    text: str


@dataclass(frozen=True, slots=True)
class Ends:
    """A text ends so."""

    column: Column
    text: str


@dataclass(frozen=True, slots=True)
class Holds:
    """A text has this in it, letter by letter."""

    column: Column
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """A text has all these words."""

    column: Column
    text: str


@dataclass(frozen=True, slots=True)
class Within:
    """A number, or a moment in milliseconds, lies between these; ``None``: no end."""

    column: Column
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no value."""

    column: Column


@dataclass(frozen=True, slots=True)
class All:
    """All of these hold; without any, everything is meant."""

    parts: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of these holds, at least."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """This does not hold."""

    part: Condition


Condition: TypeAlias = (
    OneOf | Begins | Ends | Holds | Words | Within | Missing | All | AnyOf | Not
)
#: No filter.
EVERYTHING = All()
