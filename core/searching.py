"""What core asks of a search engine; ``fyr.search`` is the one that Fyr brings.

https://hl7.org/fhir/R4/search.html
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from fyr.core.context import RequestContext
from fyr.core.declarations.services import Service
from fyr.core.errors import Issue
from fyr.core.store.port import IndexRows, Session, Stored

#: Parameter of a link to another page; opaque to clients.
CURSOR = "_cursor"
#: Parameter of a link that holds, sealed, what came in the body of a form.
POSTED = "_posted"
#: Parameter that asks for contained resources: ``true`` or ``both``, else ``false``.
CONTAINED = "_contained"


def escaped(text: str) -> str:
    """Write a text so that a search takes it as one value.

    https://hl7.org/fhir/R4/search.html#escaping
    """
    return re.sub(r"([,|$\\])", r"\\\1", text)


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """A search parameter as a CapabilityStatement lists it."""

    name: str
    type: str
    url: str
    documentation: str = ""
    #: of a reference that ``_include`` and ``_revinclude`` follow: types that it leads to
    targets: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Compartment:
    """The compartments of one type: https://hl7.org/fhir/R4/compartmentdefinition.html."""

    type: str
    #: canonical URL of the CompartmentDefinition
    url: str
    #: type -> reference parameters by which its resources belong to a compartment
    types: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class SearchAsked:
    """All that a search is about, taken from its criteria as they were understood."""

    #: types that are searched
    types: tuple[str, ...]
    #: type and parameter of all that decides what is found, or in which order: chains,
    #: ``_has``, ``_filter``, ``_list`` and sort keys with all types that they go through
    touched: frozenset[tuple[str, str]]
    #: those of them that are asked of other resources than the matches, be they of the
    #: same type
    beyond: frozenset[tuple[str, str]] = frozenset()
    #: type and reference that an include follows; ``("*", "*")``: whatever there is
    followed: frozenset[tuple[str, str]] = frozenset()
    #: types that the includes can bring; empty: none, or any
    brought: frozenset[str] = frozenset()
    #: parameter and reference (``Patient/1``) of criteria that each match has to meet,
    #: told with one value and no modifier; chained ones with a dot, ``_id`` as reference;
    #: an empty reference where each match has none
    pinned: frozenset[tuple[str, str]] = frozenset()


#: Told of a search before anything is found; raises what is to end it.
Judge = Callable[[SearchAsked], None]


@dataclass(frozen=True, slots=True)
class Extent:
    """What a search for everything is limited to beside its criteria."""

    #: type of the compartments that resources have to be in; empty: any or none
    owner: str = ""
    #: ids of what the compartments are of; ``None``: all of the type
    owners: Sequence[str] | None = None
    #: milliseconds since 1970, UTC: last updated at this moment or later
    since: int | None = None
    #: last updated before this moment
    until: int | None = None


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of a search: versions as stored, and what the Bundle says about them."""

    matches: Sequence[Stored]
    included: Sequence[Stored] = ()
    total: int | None = None
    #: parameters that were understood, for the self link
    used: Sequence[tuple[str, str]] = ()
    #: opaque cursor of the next page; ``None`` on the last
    next: str | None = None
    #: what a lenient search ignored
    issues: Sequence[Issue] = ()
    #: of each match the seat of the contained resource that is meant and not what
    #: contains it, or ``None``; empty: none is
    seats: Sequence[int | None] = ()
    #: ``_summary``, ``_elements``: how the entries are to be shown
    show: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ExplainedStatement:
    """One statement of a search; values may tell of people."""

    #: ``page``, ``count``, ``include`` or ``other``
    kind: str
    sql: str
    values: Sequence[Any]
    rows: int
    #: what the database took to plan it, and to run and fetch it
    plan_millis: float
    run_millis: float
    #: the database's own words, a line each
    plan: Sequence[str]


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a search is understood and answered."""

    #: the tree of its criteria, a line each
    query: Sequence[str]
    parse_millis: float
    #: all of it, with the resources that were read
    millis: float
    statements: Sequence[ExplainedStatement]
    page: SearchPage


class Candidate(Protocol):
    """A resource that criteria are held against; of use until it is let go."""

    @property
    def kind(self) -> str:
        """Its type."""


class Matcher(Protocol):
    """Criteria that one resource can be held against."""

    @property
    def types(self) -> tuple[str, ...]:
        """The types that they are about."""

    def meets(self, candidate: Candidate) -> bool:
        """Tell whether a search with these criteria finds the resource."""


class ValueSet(Protocol):
    """The codes of a value set, for who holds codes against them."""

    @property
    def problem(self) -> Issue | None:
        """Why there are codes of which it cannot be told whether it has them."""

    def has(self, system: str, code: str) -> bool | None:
        """Tell whether it has a code; ``None``: that cannot be told.

        :param system: empty where a coding says none: the code in any of its systems.
        """


class SearchEngine(Protocol):
    """Finds resources by what is in them."""

    def begin(self, session: Session, *, again: bool) -> None:
        """Prepare this thread for a transaction that stores resources.

        Called again inside of one, and ended as often by :meth:`end`.

        :param again: it has been run before and lost a race.
        """

    def end(self) -> None:
        """Forget what :meth:`begin` prepared."""

    def confirm(self, session: Session) -> None:
        """Have the transaction run again if what it stored is indexed by old rules."""

    def edition(self) -> object:
        """Tell something that is another one when :meth:`parameters` are others."""

    def index(self, resource: dict[str, Any]) -> IndexRows:
        """Take from a resource the values that it can be found by."""

    def generation(self, resource_type: str) -> int:
        """Tell what :meth:`index` takes from this type: another number, other values.

        :return: a signed 32-bit number; 0 when it is not known, and an update must
            write all rows anew.
        """

    def parameters(self, resource_type: str) -> Sequence[SearchParameter]:
        """Tell the parameters of a type, those of all types included."""

    def compartments(self) -> Mapping[str, Compartment]:
        """Tell the compartments that can be searched, by the type that they are of."""

    def search(
        self,
        session: Session,
        context: RequestContext,
        resource_type: str | None,
        params: Sequence[tuple[str, str]],
        judge: Judge | None = None,
    ) -> SearchPage:
        """Find one page of resources, of those in ``context.compartment`` if it has one.

        :param judge: is told what is asked before anything is found, and may refuse.
        :param params: name and value as in the URL, ``_count`` and cursor included.
        :raises fyr.core.errors.NotSupported: an unknown parameter or modifier.
        :raises fyr.core.errors.Invalid: a value that is not of the parameter's type.
        :raises fyr.core.errors.NotFound: there is no such compartment.
        """

    def knows_own(self, own: Callable[[str, Service, str], str | None]) -> None:
        """Have values that are URLs of this deployment made relative.

        :param own: :meth:`fyr.core.interactions.services.Services.own`.
        """

    def seal(self, place: str, pairs: Sequence[tuple[str, str]]) -> str:
        """Write parameters so that nobody else can read them, for a stated time.

        :param place: the URL that they are for; they are opened at no other.
        """

    def unseal(self, place: str, sealed: str) -> Sequence[tuple[str, str]]:
        """Read what :meth:`seal` has written.

        :raises fyr.core.errors.Invalid: it is something else, or of another place.
        :raises fyr.core.errors.Gone: its time is over.
        """

    def on_search(self, told: Callable[[str, float], None]) -> None:
        """Have each search told: its kind, one of few, and its seconds."""

    def every(
        self,
        session: Session,
        context: RequestContext,
        resource_type: str,
        params: Sequence[tuple[str, str]],
        extent: Extent,
        judge: Judge | None = None,
    ) -> Iterator[Sequence[tuple[int, int]]]:
        """Find all resources, as pids with versions, many at a time and by rising pid.

        What :meth:`search` refuses is refused at once, and so are parameters that are
        about pages and their form.
        """

    def explain(
        self,
        session: Session,
        context: RequestContext,
        resource_type: str | None,
        params: Sequence[tuple[str, str]],
        judge: Judge | None = None,
    ) -> Explanation:
        """Search, and tell how; raises what :meth:`search` raises."""

    def matcher(
        self,
        session: Session,
        context: RequestContext,
        resource_type: str,
        params: Sequence[tuple[str, str]],
        judge: Judge | None = None,
    ) -> Matcher:
        """Understand criteria that single resources are to be held against.

        They mean what they mean in a search by this context, as things stand now: what a
        value set has, and which parameters there are, is not looked at again.

        :raises fyr.core.errors.NotSupported: something is unknown, is about the answer of
            a search, or is asked of other resources than the matches.
        :raises fyr.core.errors.Invalid: a value is not of the parameter's type.
        """

    def value_sets(
        self,
        session: Session,
        context: RequestContext,
        addresses: Sequence[str],
        container: dict[str, Any],
    ) -> Mapping[str, ValueSet]:
        """Tell the codes of value sets by their addresses; one not here has a problem.

        :param addresses: canonical URLs, with ``|version`` or without, and ``#id`` of
            what the container contains.
        """

    def candidate(self, stored: Stored) -> AbstractContextManager[Candidate]:
        """Take a version that is not a delete, so that criteria are held against it."""

    def criteria(
        self,
        session: Session,
        context: RequestContext,
        resource_type: str,
        query: str,
        judge: Judge | None = None,
    ) -> Sequence[Stored]:
        """Find at most two current versions for the criteria of a conditional interaction.

        Ignores nothing, pages nothing: two results mean "more than one".
        """
