"""What a query means, as a tree of plain values: made by ``query``, told by ``sql``.

https://hl7.org/fhir/R4/search.html. A parameter has sources for each resource type that
is searched; texts and systems are in the form in which the index keeps them.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from fyr.core.errors import Issue
from fyr.search.extraction.layouts import Columns
from fyr.search.full_text.queries import Branch
from fyr.search.hashes import wide_id


@dataclass(frozen=True, slots=True)
class Token:
    """``system|code``; ``None`` is any, system 0 is none."""

    system: int | None
    code: str | None


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of many codes, each with its system."""

    codes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class AllBut:
    """Any code of a system that is none of these."""

    system: int
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """What a string begins with, contains or is."""

    folded: str
    original: str


@dataclass(frozen=True, slots=True)
class Target:
    """What a reference leads to; type ``None`` is any."""

    type: str | None
    id: str


@dataclass(frozen=True, slots=True)
class Targets:
    """One of many resources of a type that a reference leads to."""

    type: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relatives:
    """A resource and what it is a part of, near or far, or (``below``) its parts.

    ``parent`` is where the references of a resource to what it is a part of stand.
    """

    type: str
    id: str
    parent: "Sources"
    below: bool


@dataclass(frozen=True, slots=True)
class Moment:
    """A prefix and a range in milliseconds, both ends in it."""

    prefix: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Amount:
    """A prefix, a number, and the range that its digits tell (its end not in it)."""

    prefix: str
    value: float
    low: float
    high: float
    code: str | None = None
    system: int | None = None
    #: in a canonical unit: to be compared with what is measured, or converted, in it
    canonical: bool = False


@dataclass(frozen=True, slots=True)
class Uri:
    """A URI as it is."""

    value: str


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a URI begins with."""

    value: str


@dataclass(frozen=True, slots=True)
class Near:
    """A point on the unit sphere, and how far another may be on a straight line."""

    x: float
    y: float
    z: float
    chord: float


@dataclass(frozen=True, slots=True)
class Together:
    """Values in one row, each in columns of its own."""

    parts: tuple[tuple["Operand", Columns], ...]


Operand = (
    Token
    | Text
    | Target
    | Targets
    | Moment
    | Amount
    | Uri
    | OneOf
    | AllBut
    | Relatives
    | Beginning
    | Near
    | Together
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where values stand: rows of an index table under a number, all or some of them."""

    table: str
    number: int
    #: a column, and the values of which the rows have one
    only: tuple[str, tuple[Any, ...]] | None = None
    #: no resource has more than one row of the place
    single: bool = False
    #: holds the ranges of a place that are wider than ``hashes.WIDTHS`` says
    wide: bool = False

    @property
    def place(self) -> int:
        """The number that the place has for its narrow values."""
        return wide_id(self.number) if self.wide else self.number


Sources = tuple[Source, ...]


def one_row(sources: Sources) -> bool:
    """Whether no resource has more than one row in all of them."""
    places = {source.place for source in sources}
    return len(places) == 1 and all(source.single for source in sources)


@dataclass(frozen=True, slots=True)
class Match:
    """One of the values, all of one table, meets one of the operands."""

    sources: Sources
    operands: tuple[Operand, ...]
    #: ``unlike``: it does not meet it; for strings ``exact``, ``contains``, ``equal``
    #: but for case and accents, ``ends``, or a comparison such as ``gt``
    modifier: str = ""
    #: ``:not``: no value does
    negated: bool = False

    def negation(self) -> "Match":
        """Give what is met where this is not."""
        return replace(self, negated=not self.negated)


@dataclass(frozen=True, slots=True)
class SameRow:
    """One row meets several matches, all on the same place with one row a resource."""

    parts: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no value at all, or there is one."""

    sources: Sources
    missing: bool


@dataclass(frozen=True, slots=True)
class HasId:
    """``_id``."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Is:
    """It is one resource and no other."""

    type: str
    id: str


@dataclass(frozen=True, slots=True)
class OfType:
    """It is a resource of one of the types."""

    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Updated:
    """``_lastUpdated``."""

    operands: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """A reference leads to a resource, of one of the types, that meets a criterion."""

    sources: Sources
    types: tuple[str, ...]
    inner: "Criterion"
    #: the same criterion on a contained resource; ``None``: none can meet it
    inside: "Criterion | None" = None
    #: the reference is one of a contained resource: ``inside`` is about its neighbours
    within: bool = False


@dataclass(frozen=True, slots=True)
class Has:
    """A resource of another type meets a criterion, and refers to this one."""

    type: str
    sources: Sources
    inner: "Criterion"


@dataclass(frozen=True, slots=True)
class FullText:
    """``_text`` or ``_content``: the words of one of the branches are there."""

    name: str
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class All:
    """All of the criteria are met."""

    parts: tuple["Criterion", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of the criteria is met, or more."""

    parts: tuple["Criterion", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The criterion is not met."""

    part: "Criterion"


Criterion = (
    Match
    | SameRow
    | Missing
    | HasId
    | Is
    | OfType
    | Updated
    | FullText
    | Chain
    | Has
    | All
    | AnyOf
    | Not
)


def conjuncts(criterion: Criterion) -> list[Criterion]:
    """Give the criteria that are met when, and only when, this one is."""
    if isinstance(criterion, All):
        return [one for part in criterion.parts for one in conjuncts(part)]
    return [criterion]


@dataclass(frozen=True, slots=True)
class SortKey:
    """``_id``, ``_lastUpdated`` (both without sources) or a parameter's values."""

    name: str
    descending: bool
    sources: Sources = ()


@dataclass(frozen=True, slots=True)
class Urls:
    """Where resources of some types say under which URL and version they are known."""

    urls: Sources
    versions: Sources


@dataclass(frozen=True, slots=True)
class Include:
    """References to follow from the matches, or (``reverse``) to them."""

    #: where they stand; none: wherever there are any
    sources: Sources
    reverse: bool
    #: types that it can bring; none: any
    brought: tuple[str, ...] = ()
    #: only references to this type
    target: str | None = None
    #: how canonical references lead to resources, when some can be among them
    urls: Urls | None = None
    #: to be followed from what was included too
    iterate: bool = False


@dataclass(slots=True)
class Query:
    """A search as it was understood."""

    types: tuple[str, ...]
    criteria: list[Criterion] = field(default_factory=list)
    sort: list[SortKey] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    count: int = 0
    #: ``_contained``: ``true``, ``both`` or empty; then the criteria as they are about
    #: contained resources, and whether these are the matches or what contains them
    contained: str = ""
    inside: list[Criterion] = field(default_factory=list)
    alone: bool = False
    #: ``none``, ``estimate``, ``accurate``, or empty when none was said
    total: str = ""
    cursor: str | None = None
    show: dict[str, str] = field(default_factory=dict)
    used: list[tuple[str, str]] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
