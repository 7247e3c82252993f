"""FHIR's interactions without HTTP: https://hl7.org/fhir/R4/http.html.

Every way in comes through here: REST, entries of bundles, operations, jobs, imports;
all pass the same hooks. One module for each interaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from fyr.core.interactions import (
    admit,
    bundle,
    conditional,
    delete,
    everything,
    history,
    operation,
    patch,
    read,
    searching,
    telling,
    write,
)
from fyr.core.interactions.answer import Answer, Incoming, IncomingPatch
from fyr.core.interactions.joined import JoinedDatabase
from fyr.core.interactions.looking import Expected
from fyr.core.workflow.machines import Machines

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core.blobs import Blobs
    from fyr.core.clock import Clock
    from fyr.core.context import RequestContext, Touched
    from fyr.core.declarations.operations import Operations
    from fyr.core.hooks.pipeline import Hooks
    from fyr.core.interactions.services import Services
    from fyr.core.model.resource import Resource
    from fyr.core.searching import Extent, SearchEngine
    from fyr.core.store.port import Database, Session
    from fyr.core.store.resources import ResourceStore

T = TypeVar("T")

__all__ = ["Answer", "Incoming", "IncomingPatch", "Interactions", "Tags"]

#: Version ids of an ``If-Match`` or ``If-None-Match``; ``("*",)`` for any.
Tags = Sequence[str]


class Interactions:
    """Does what a context asks for, each time in one transaction.

    Every method admits the context first, so that each can end with what
    :mod:`fyr.core.interactions.admit` raises.
    """

    def __init__(
        self,
        *,
        resources: ResourceStore,
        database: Database,
        hooks: Hooks,
        search: SearchEngine | None,
        settings: Settings,
        clock: Clock,
        services: Services,
        operations: Operations,
        blobs: Blobs,
        machines: Machines | None = None,
        strips: frozenset[str] = frozenset(),
    ) -> None:
        """Take what all interactions share; without a search engine none finds.

        :param strips: resource types whose pictures are written anew.
        """
        self.resources = resources
        self.database = database
        self.hooks = hooks
        self.engine = search
        self.settings = settings
        self.clock = clock
        self.services = services
        self.operations = operations
        self.blobs = blobs
        self.machines = machines or Machines()
        self.strips = strips
        self.expected = Expected()
        #: whether a read goes nowhere, so that nothing is fetched ahead of it
        self.near = database.dialect == "sqlite"
        #: what was touched, while an operation that will tell of it is running
        self.collected: list[Touched] | None = None

    def within(self, session: Session) -> Interactions:
        """Give interactions that take part in a transaction that is running.

        They see what it has written, and what they write stands or falls with it.
        """
        database = JoinedDatabase(session)
        # A copy goes on handing out the same ids.
        resources = copy(self.resources)
        resources.database = database
        within = copy(self)
        within.resources, within.database = resources, database
        return within

    def write(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` in one transaction, as :meth:`Database.write` does.

        All that it stores is indexed by the same rules, those in force at its commit.
        """
        engine, attempts = self.engine, count()
        if engine is None:
            return self.database.write(work)

        def attempt(session: Session) -> T:
            again = next(attempts) > 0
            try:
                engine.begin(session, again=again)
                return work(session)
            finally:
                engine.end()

        return self.database.write(attempt)

    def note_shown(self, resource: Resource) -> None:
        """Note that an operation's answer tells of a stored resource that is not in it."""
        telling.note_shown(self, resource)

    def admit(self, context: RequestContext) -> None:
        """Let a request pass, its principal known, or end it; for plain routes too."""
        admit.admit(self, context)

    def read(
        self,
        context: RequestContext,
        if_none_match: Tags | None = None,
        if_modified_since: int | None = None,
    ) -> Answer:
        """Answer the current version, or 304 to a client that has it.

        :param if_modified_since: milliseconds since 1970, UTC.
        :raises fyr.core.errors.NotFound: there is none.
        :raises fyr.core.errors.Gone: it has been deleted.
        """
        return read.read(self, context, if_none_match, if_modified_since)

    def vread(self, context: RequestContext, version: str) -> Answer:
        """Answer one version.

        :raises fyr.core.errors.NotFound: there is none.
        :raises fyr.core.errors.Gone: it says that the resource was deleted.
        """
        return read.vread(self, context, version)

    def create(
        self,
        context: RequestContext,
        source: Incoming,
        if_none_exist: str | None = None,
    ) -> Answer:
        """Store a resource under a new id; 201, or 200 with what criteria found.

        :param if_none_exist: search criteria, such as ``identifier=x``.
        :raises fyr.core.errors.MultipleMatches: the criteria find several.
        """
        if if_none_exist is None:
            return write.create(self, context, source)
        return conditional.create_unless(self, context, source, if_none_exist)

    def update(
        self,
        context: RequestContext,
        source: Incoming,
        if_match: Tags | None = None,
        if_none_match: Tags | None = None,
    ) -> Answer:
        """Store the next version (200) or the first one (201).

        :raises fyr.core.errors.PreconditionFailed: another version is stored, or none.
        """
        return write.update(self, context, source, if_match, if_none_match)

    def update_by(
        self,
        context: RequestContext,
        query: str,
        source: Incoming,
        if_match: Tags | None = None,
    ) -> Answer:
        """Update the resource that criteria find, or store a new one.

        :raises fyr.core.errors.MultipleMatches: the criteria find several.
        """
        return conditional.update_by(self, context, query, source, if_match)

    def patch(
        self,
        context: RequestContext,
        source: IncomingPatch,
        if_match: Tags | None = None,
    ) -> Answer:
        """Change parts of the current version and store the next one.

        :raises fyr.core.errors.Refused: the patch does not fit the resource.
        """
        return patch.patch(self, context, source, if_match)

    def patch_by(
        self,
        context: RequestContext,
        query: str,
        source: IncomingPatch,
        if_match: Tags | None = None,
    ) -> Answer:
        """Patch the resource that criteria find."""
        return conditional.patch_by(self, context, query, source, if_match)

    def delete(self, context: RequestContext, if_match: Tags | None = None) -> Answer:
        """Make the version that says that a resource is gone: 204, always."""
        return delete.delete(self, context, if_match)

    def delete_by(self, context: RequestContext, query: str) -> Answer:
        """Delete the resource that criteria find: 204, also when there is none.

        :raises fyr.core.errors.MultipleMatches: the criteria find several.
        """
        return conditional.delete_by(self, context, query)

    def history(self, context: RequestContext) -> Answer:
        """Answer a page of versions, the newest first, at the context's level."""
        return history.history(self, context)

    def search(self, context: RequestContext) -> Answer:
        """Answer a page of what the context's parameters find."""
        return searching.search(self, context)

    def every(
        self, session: Session, context: RequestContext, extent: Extent
    ) -> Iterator[Sequence[tuple[int, int]]]:
        """Find all that a search on a type would find, without pages, for an export.

        What the caller may not ask is refused at once, before anything is found; what is
        found are pids with versions, for :func:`everything.shown_versions`.

        :raises fyr.core.errors.NotSupported: a parameter is unknown, or no criterion.
        """
        return everything.every(self, session, context, extent)

    def bundle(
        self, context: RequestContext, source: Incoming, returns: str = "minimal"
    ) -> Answer:
        """Do what the entries of a batch or transaction ask for.

        :param returns: ``minimal``, ``representation`` (entries hold what was written)
            or ``OperationOutcome``.
        :raises fyr.core.errors.FyrError: a transaction cannot be done; nothing was.
        """
        return bundle.bundle(self, context, source, returns)

    def operate(self, context: RequestContext, source: Incoming) -> Answer:
        """Call the operation that the context names.

        :param source: the ``Parameters`` of the call.
        """
        return operation.operate(self, context, source)
