"""A search as it was asked: read with the parameters in force, for one service.

The one place where what is known of parameters, of the service and of its caller meets, so
that pages, exports, criteria of writes and subscriptions are all understood alike.
"""

from collections.abc import Sequence
from functools import partial

from fyr.config.settings import Settings
from fyr.core.clock import Clock, to_millis
from fyr.core.context import RequestContext
from fyr.core.errors import NotSupported
from fyr.core.searching import Judge
from fyr.core.store.port import Session
from fyr.search import asking
from fyr.search.addresses import Addresses
from fyr.search.indexing.sets import IndexSet, Sets, progress
from fyr.search.tree import Query
from fyr.search.understanding.compartments import members, within
from fyr.search.understanding.known import Known
from fyr.search.understanding.limits import Limits
from fyr.search.understanding.offered import Offered
from fyr.search.understanding.operands import Operands
from fyr.search.understanding.query import QueryParser

Pairs = Sequence[tuple[str, str]]


class Questions:
    """Understands searches; safe to share between threads."""

    def __init__(
        self, sets: Sets, settings: Settings, clock: Clock, addresses: Addresses
    ) -> None:
        """Take what is found by, what is set, and which URLs are this deployment's."""
        self._sets = sets
        self._settings = settings
        self._clock = clock
        self._addresses = addresses

    def query(
        self,
        session: Session,
        context: RequestContext,
        resource_type: str | None,
        params: Pairs,
        judge: Judge | None = None,
        *,
        lenient: bool = False,
    ) -> Query:
        """Understand a search, and let nobody ask it who may not.

        :param lenient: whether what is unknown is told of in the answer, not refused.
        :raises NotSupported: an unknown parameter or modifier.
        :raises fyr.core.errors.Invalid: a value that is not of the parameter's type.
        """
        current = self._sets.now
        asked = (session, context, resource_type, params, judge, lenient)
        try:
            return self._parsed(current, *asked)
        except NotSupported:
            # Another process may know more by now.
            newer = self._sets.newer_than(current)
            if newer is None:
                raise
        return self._parsed(newer, *asked)

    def _parsed(
        self,
        current: IndexSet,
        session: Session,
        context: RequestContext,
        resource_type: str | None,
        params: Pairs,
        judge: Judge | None,
        lenient: bool,
    ) -> Query:
        known = self.known(session, context, current)
        parser = QueryParser(
            known,
            default_count=self._settings.fhir.default_count,
            max_count=self._settings.fhir.max_count,
            sent=context.params,
        )
        types = [resource_type] if resource_type else asking.searched(context)
        if context.compartment is None:
            query = parser.parse(types, params, lenient=lenient)
        else:
            types = members(context.compartment[0], types)
            query = parser.parse(types, params, lenient=lenient)
            if query.contained:
                raise NotSupported(
                    "_contained: contained resources are in no compartment"
                )
            query.criteria.insert(0, within(known, context.compartment, query.types))
        if judge is not None:
            judge(parser.asked(query))
        return query

    def known(
        self, session: Session, context: RequestContext, current: IndexSet
    ) -> Known:
        """Give what criteria are understood with."""
        return Known(
            current.parameters,
            current.places,
            Operands(self._clock, partial(self._addresses.relative, context)),
            session,
            self._settings.search.full_text,
            current.active,
            lambda kind: progress(session, kind).told(to_millis(self._clock())),
            Offered(context.service),
        )

    def limits(self, context: RequestContext) -> Limits:
        """Tell which resources the service has of each type."""
        current = self._sets.now
        return Limits(context.service.types, current.parameters, current.places)
