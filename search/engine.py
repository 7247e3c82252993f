"""The search engine of a server: https://hl7.org/fhir/R4/search.html.

Joins what the rooms beside it know: which values a resource has, what a query means,
how it becomes SQL, and where a page ended.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from urllib.parse import parse_qsl

import structlog

from fyr.config.settings import Settings
from fyr.core.clock import Clock, to_millis
from fyr.core.context import RequestContext
from fyr.core.declarations.services import Service
from fyr.core.errors import Invalid, NotSupported
from fyr.core.model import json
from fyr.core.model.resource import Resource
from fyr.core.searching import (
    Candidate,
    Compartment,
    Explanation,
    Extent,
    Judge,
    SearchPage,
    SearchParameter,
    ValueSet,
)
from fyr.core.store.port import IndexRows, Session, Stored
from fyr.search import asking
from fyr.search.addresses import Addresses
from fyr.search.finding.containers import count_contained, read_contained
from fyr.search.finding.cursors import Cursors, identity_of
from fyr.search.finding.explaining import Recorder, millis_since
from fyr.search.finding.following import follow
from fyr.search.finding.pages import count, read_keys, read_page, total_of
from fyr.search.finding.plans import Sizes
from fyr.search.full_text.lag import lag
from fyr.search.indexing.sets import Sets
from fyr.search.matching.matcher import Held, Matcher, matcher_of
from fyr.search.matching.memory import Memory
from fyr.search.terms.deciding import decided
from fyr.search.terms.keeping import KeptValueSets
from fyr.search.tree import Query
from fyr.search.understanding.compartments import compartments
from fyr.search.understanding.everything import extent_of, refuse_forms
from fyr.search.understanding.questions import Questions
from fyr.search.understanding.reading import Reading, kind_of
from fyr.search.understanding.results import shaping

log = structlog.get_logger(__name__)

Pairs = Sequence[tuple[str, str]]


class Engine:
    """Finds resources by the rows that it has taken from them; safe between threads."""

    def __init__(
        self,
        sets: Sets,
        *,
        settings: Settings,
        clock: Clock,
        link_key: bytes,
    ) -> None:
        """Take what is known, and the key that paging links are sealed with."""
        self.sets = sets
        self._sizes = Sizes()
        self._value_sets = KeptValueSets()
        self._settings = settings
        self._clock = clock
        #: what seals where a page ended
        self.cursors = Cursors(link_key, clock, settings.fhir.page_link_seconds)
        #: which URLs are this deployment's own
        self.addresses = Addresses(settings)
        self._asked = Questions(sets, settings, clock, self.addresses)
        self._told: Callable[[str, float], None] = asking.nobody

    def begin(self, session: Session, *, again: bool) -> None:
        """Hold on to one set of parameters for a transaction of this thread."""
        self.sets.begin(session, again=again)

    def end(self) -> None:
        """Let go of the set that was held."""
        self.sets.end()

    def confirm(self, session: Session) -> None:
        """Have the transaction run again if another set is in force by now."""
        self.sets.confirm(session)

    def edition(self) -> object:
        """Tell the version of what is searched by."""
        return self.sets.now.version

    def index(self, resource: Resource) -> IndexRows:
        """Take from a resource the values that it can be found by."""
        return self.sets.now.extractor.rows(resource)

    def generation(self, resource_type: str) -> int:
        """Tell what is taken from a type; another number when that has changed."""
        return self.sets.now.extractor.generation(resource_type)

    def parameters(self, resource_type: str) -> Sequence[SearchParameter]:
        """Tell the parameters of a type that can be searched by."""
        current, full_text = self.sets.now, self._settings.search.full_text
        return [
            asking.told(one)
            for one in current.parameters.of(resource_type).values()
            if asking.is_answered(one, full_text=full_text) and current.active(one)
        ]

    def compartments(self) -> Mapping[str, Compartment]:
        """Tell the compartments of R4, by the type that they are of."""
        return compartments()

    def search(
        self,
        session: Session,
        context: RequestContext,
        resource_type: str | None,
        params: Pairs,
        judge: Judge | None = None,
    ) -> SearchPage:
        """Find one page of resources.

        :raises NotSupported: an unknown parameter or modifier.
        :raises Invalid: a value that is not of the parameter's type.
        :raises fyr.core.errors.Gone: a paging link whose time is over.
        """
        began = time.perf_counter()
        lenient = context.handling == "lenient"
        query = self._asked.query(
            session, context, resource_type, params, judge, lenient=lenient
        )
        page = self._find(session, context, resource_type, query)
        self._note(query, time.perf_counter() - began)
        return page

    def _find(
        self,
        session: Session,
        context: RequestContext,
        resource_type: str | None,
        query: Query,
    ) -> SearchPage:
        self._asked.limits(context).put_on(query)
        if asking.asks_for_words(query):
            query.issues += lag(session)
        if query.contained:
            return self._find_contained(session, context, resource_type, query)
        if query.count == 0 or query.show.get("_summary") == "count":
            return asking.page_of(
                query, (), (), count(session, query, self._sizes), None
            )
        identity = identity_of(context, resource_type, query)
        after = self.cursors.read(identity, query.cursor) if query.cursor else None
        # Nothing is to be counted, and nothing included.
        last = not query.includes and query.total in ("", "none")
        page = read_page(session, query, after, self._sizes, last=last)
        included = self._included(session, context, query, page.matches)
        following = self.cursors.write(identity, page.after) if page.after else None
        total = total_of(session, query, self._sizes, len(page.matches), following)
        return asking.page_of(query, page.matches, included, total, following)

    def _find_contained(
        self,
        session: Session,
        context: RequestContext,
        resource_type: str | None,
        query: Query,
    ) -> SearchPage:
        """Find contained resources in what the service lets be searched."""
        owners = self._asked.limits(context).among(asking.searched(context))
        if query.count == 0 or query.show.get("_summary") == "count":
            counted = count_contained(session, query, self._sizes, owners)
            return asking.page_of(query, (), (), counted, None)
        identity = identity_of(context, resource_type, query)
        after = self.cursors.read(identity, query.cursor) if query.cursor else None
        page = read_contained(session, query, after, self._sizes, owners)
        following = self.cursors.write(identity, page.after) if page.after else None
        alone = query.cursor is None and following is None
        total = len(page.matches) if alone and query.total != "none" else None
        if query.total in ("accurate", "estimate"):
            total = count_contained(session, query, self._sizes, owners)
        found = asking.page_of(query, page.matches, (), total, following)
        return replace(found, seats=page.seats)

    def _note(self, query: Query, seconds: float) -> None:
        """Count a search, and log one that was slow: its shape, never its values."""
        self._told(kind_of(query), seconds)
        slow = self._settings.search.slow_millis
        if slow and seconds * 1000 > slow:
            shape = Reading(self.sets.now.places, query, values=False).lines()
            log.warning("slow search", seconds=round(seconds, 3), query=shape)

    def knows_own(self, own: Callable[[str, Service, str], str | None]) -> None:
        """Have values that are URLs of this deployment made relative."""
        self.addresses.own = own

    def seal(self, place: str, pairs: Pairs) -> str:
        """Write parameters so that nobody else can read them, for a stated time."""
        return self.cursors.write(f"posted {place}", pairs)

    def unseal(self, place: str, sealed: str) -> Pairs:
        """Read what :meth:`seal` has written."""
        return [(n, value) for n, value in self.cursors.read(f"posted {place}", sealed)]

    def on_search(self, told: Callable[[str, float], None]) -> None:
        """Have each search told: its kind, and its seconds."""
        self._told = told

    def every(
        self,
        session: Session,
        context: RequestContext,
        resource_type: str,
        params: Pairs,
        extent: Extent,
        judge: Judge | None = None,
    ) -> Iterator[Sequence[tuple[int, int]]]:
        """Find all resources, as pids with versions, by rising pid."""
        refuse_forms(params)
        query = self._asked.query(session, context, resource_type, params, judge)
        self._asked.limits(context).put_on(query)
        known = self._asked.known(session, context, self.sets.now)
        query.criteria += extent_of(known, extent, query.types)
        return read_keys(session, query, self._sizes)

    def explain(
        self,
        session: Session,
        context: RequestContext,
        resource_type: str | None,
        params: Pairs,
        judge: Judge | None = None,
    ) -> Explanation:
        """Search, and tell how."""
        lenient = context.handling == "lenient"
        began = time.perf_counter()
        query = self._asked.query(
            session, context, resource_type, params, judge, lenient=lenient
        )
        parsed = millis_since(began)
        recorder = Recorder(session)
        began = time.perf_counter()
        page = self.search(recorder, context, resource_type, params)
        millis = millis_since(began)
        lines = Reading(self.sets.now.places, query, values=True).lines()
        return Explanation(lines, parsed, millis, recorder.explained(), page)

    def criteria(
        self,
        session: Session,
        context: RequestContext,
        resource_type: str,
        query: str,
        judge: Judge | None = None,
    ) -> Sequence[Stored]:
        """Find at most two current versions for the criteria of a conditional interaction."""
        params = parse_qsl(query, keep_blank_values=True)
        if shaping(params):
            raise NotSupported(f"criteria {query[:100]!r} hold more than criteria")
        parsed = self._asked.query(session, context, resource_type, params, judge)
        if not parsed.criteria:
            raise Invalid("criteria tell nothing to search by")
        if asking.asks_for_words(parsed):
            raise NotSupported(
                "criteria cannot hold _text or _content: their index follows a write"
            )
        self._asked.limits(context).put_on(parsed)
        parsed.count = 2
        return read_page(session, parsed, None, self._sizes).matches

    def matcher(
        self,
        session: Session,
        context: RequestContext,
        resource_type: str,
        params: Pairs,
        judge: Judge | None = None,
    ) -> Matcher:
        """Understand criteria that single resources are to be held against."""
        query = self._asked.query(session, context, resource_type, params, judge)
        self._asked.limits(context).put_on(query)
        return matcher_of(query, params)

    def value_sets(
        self,
        session: Session,
        context: RequestContext,
        addresses: Sequence[str],
        container: Resource,
    ) -> Mapping[str, ValueSet]:
        """Tell the codes of value sets by their addresses."""
        known = self._asked.known(session, context, self.sets.now)
        return self._value_sets.of(
            session,
            f"{context.service.name} {context.base_url}",
            addresses,
            lambda missing: decided(known, missing, container),
            to_millis(self._clock()),
        )

    @contextmanager
    def candidate(self, stored: Stored) -> Iterator[Candidate]:
        """Take the values of a version, so that criteria are held against it."""
        rows = self.sets.now.extractor.rows(json.own(stored.body or b""))
        held = Held(self._memory, stored, rows)
        try:
            yield held
        finally:
            held.close()

    @cached_property
    def _memory(self) -> Memory:
        return Memory()

    def _included(
        self,
        session: Session,
        context: RequestContext,
        query: Query,
        matches: Sequence[Stored],
    ) -> Sequence[Stored]:
        limit = self._asked.limits(context).among(context.service.types)
        relative = partial(self.addresses.relative, context)
        included = follow(session, query.includes, matches, limit, relative)
        query.issues += included.issues
        return included.resources
