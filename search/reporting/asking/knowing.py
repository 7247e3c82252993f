"""What a question is read with: the projections there are, the time, and for whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from fyr.core.clock import Clock
from fyr.core.declarations.projections import Column, Projection


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a part of a question; ``path`` is below the part."""

    text: str
    path: str = ""
    code: str = "invalid"


class Problems(Exception):
    """All that is wrong with a part of a question."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Take them."""
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one question may cost; more is refused, and told."""

    #: groups of an answer, before ``having``
    groups: int = 10_000
    #: groups or rows of a page
    page: int = 10_000
    #: until an answer is there; then all work on it ends
    seconds: float = 30.0
    #: questions that one process answers at the same time
    at_once: int = 2
    #: how long another one waits for its turn
    wait_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class Known:
    """Handed to all that reads a part of a question."""

    projections: Mapping[str, Projection]
    clock: Clock
    bounds: Bounds = field(default_factory=Bounds)
    #: patients that a group has at least, for whom data is anonymised; 0: for nobody
    least: int = 0
    #: gives an own URL in its relative form, others as they are
    relative: Callable[[str], str] = str
    #: what the question is about; ``None``: that is not known
    projection: Projection | None = None
    time_zone: str = "UTC"

    def about(self, projection: Projection | None, time_zone: str) -> Known:
        """Give the same, once it is known what is asked about."""
        return replace(self, projection=projection, time_zone=time_zone)

    def is_hidden(self, column: Column) -> bool:
        """Whether a column tells too much for this caller."""
        return bool(self.least and column.personal)

    def offered(self) -> list[str]:
        """Tell the columns that this caller may name."""
        if self.projection is None:
            return []
        return [one.name for one in self.projection.all if not self.is_hidden(one)]
