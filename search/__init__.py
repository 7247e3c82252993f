"""Search, a plugin like any other: finds resources by what is in them.

https://hl7.org/fhir/R4/search.html

Its rooms, in the order in which a value and then a query pass them: ``extraction`` (which
values a resource has, as rows), ``indexing`` (stored search parameters, and the jobs that
follow them), ``understanding`` (parameters as sent become the tree of ``tree``), ``terms``
(value sets), ``finding`` (plans, SQL, pages), ``full_text`` (``_text`` and ``_content``).
Beside them ``reporting``: what reports are made of, and no search finds by.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from fyr.config.settings import Settings
from fyr.core import Operation, Plugin, hookimpl
from fyr.core.clock import Clock
from fyr.core.context import RequestContext
from fyr.core.declarations.projections import Projection, projections_in
from fyr.core.errors import Issue, NotSupported
from fyr.core.events import Change, Consumer
from fyr.core.jobs import Job
from fyr.core.model.resource import Resource
from fyr.core.store.migrating import migrate
from fyr.core.store.port import Database, Session
from fyr.search.engine import Engine
from fyr.search.extraction.modifier_values import TEXT
from fyr.search.full_text import index as fulltext
from fyr.search.indexing.checking import kinds_of, problems
from fyr.search.indexing.job import Reindex
from fyr.search.indexing.operations import reindex_operations
from fyr.search.indexing.sets import Sets, prepare
from fyr.search.reporting.generations import NAME as REPORTING_INDEX
from fyr.search.reporting.generations import REBUILD
from fyr.search.reporting.reporting import Reporting, open_reporting, unreached

if TYPE_CHECKING:
    import click

    from fyr.core import Application

__all__ = ["Search", "provide_search"]

#: Longest rest in seconds while the reporting index is away.
REST_SECONDS = 10.0
#: It goes on where it was; there is no point at which an index is not wanted any more.
REBUILD_ATTEMPTS = 1_000


class Search(Plugin):
    """Finds resources, by FHIR's search parameters and by those that are stored."""

    engine: Engine
    #: where the settings name an index; made at the start
    reporting: Reporting | None = None

    def start(self, application: Application) -> None:
        """Open the reporting index, where the settings name one."""
        settings = application.settings
        if settings.reporting.url:
            declared = application.hooks.register_projections()
            self.reporting = open_reporting(
                settings, application.database, application.clock, declared
            )
            self.reporting.begin()

    def stop(self) -> None:
        """Close the reporting index."""
        if self.reporting is not None:
            self.reporting.close()

    def problem(self) -> str:
        """Tell whether the reporting index can be reached."""
        return self.reporting.problem() if self.reporting else ""

    def reach(self, deployment: Settings) -> Iterable[str]:
        """Tell why an Elasticsearch that the settings name cannot be used."""
        return unreached(deployment)

    @hookimpl
    def provide_search(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        search_parameters: Sequence[Resource],
    ) -> Engine:
        """Give the search engine that Fyr brings."""
        self.engine = provide_search(settings, database, clock, search_parameters)
        self._reindex = Reindex(self.engine.sets, database, clock, settings.search)
        self._reindex.resume()
        return self.engine

    @hookimpl
    def register_projections(self) -> Iterable[Projection]:
        """Offer what reports may know of resources, as R4 has them."""
        return projections_in(files("fyr.search.reporting.projections"))

    @hookimpl
    def register_consumers(
        self, settings: Settings, database: Database
    ) -> Iterable[Consumer]:
        """Keep the full-text index and the reporting index, where they are."""
        found = [fulltext.consumer(database)] if settings.search.full_text else []
        return [*found, self._feed()] if settings.reporting.url else found

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        """Offer to make these indexes anew, and to index what changed."""
        anew = Job(
            REBUILD,
            lambda context: self._reporting().rebuild.run(context),
            attempts=REBUILD_ATTEMPTS,
        )
        return [fulltext.job(), self._reindex.job(), anew]

    @hookimpl
    def register_operations(self) -> Iterable[Operation]:
        """Offer ``$reindex``, and to tell how far it is."""
        return reindex_operations(lambda: self._reindex)

    @hookimpl
    def register_commands(self) -> Iterable[click.Command]:
        """Offer ``fyr reindex`` and ``fyr reporting``."""
        from fyr.search.indexing.commands import reindex
        from fyr.search.reporting.commands import reporting

        return [reindex, reporting]

    @hookimpl
    def validate(
        self, context: RequestContext, resource: Resource
    ) -> Iterable[Issue] | None:
        """Tell why nothing could be found by a SearchParameter."""
        if resource["resourceType"] != "SearchParameter":
            return None
        return problems(resource, self.engine.sets.current(at_once=True).parameters)

    @hookimpl
    def stored(
        self,
        context: RequestContext,
        session: Session,
        old: Resource | None,
        new: Resource | None,
    ) -> None:
        """Have resources indexed by a SearchParameter that has changed."""
        found = [
            one
            for one in (old, new)
            if one is not None
            and one["resourceType"] == "SearchParameter"
            and one.get("status") == "active"
        ]
        if found:
            kinds = {kind for one in found for kind in kinds_of(one)}
            self.engine.sets.change(session, kinds, {one["code"] for one in found})
            self._reindex.submit(session)

    def _feed(self) -> Consumer:
        """Make the consumer; it works once everything has been started."""

        def many(changes: Sequence[Change]) -> None:
            self._reporting().feed.take(changes)

        return Consumer(
            REPORTING_INDEX,
            lambda change: many([change]),
            handle_many=many,
            longest_rest=REST_SECONDS,
        )

    def _reporting(self) -> Reporting:
        if self.reporting is None:
            raise NotSupported("this server has no reporting index")
        return self.reporting


def provide_search(
    settings: Settings,
    database: Database,
    clock: Clock,
    search_parameters: Sequence[Resource],
) -> Engine:
    """Make the search engine, and bring its schema up to date."""
    migrate(
        database,
        namespace="search",
        folder=files("fyr.search.migrations"),
        apply=settings.store.migrate,
    )
    if settings.search.full_text:
        fulltext.prepare(database, clock, apply=settings.store.migrate)
    without = () if settings.search.token_text else (TEXT,)
    prepare(database, search_parameters, without)
    return Engine(
        Sets(database, search_parameters, without),
        settings=settings,
        clock=clock,
        link_key=_link_key(settings, database),
    )


def _link_key(settings: Settings, database: Database) -> bytes:
    """Give the key of paging links: the one in the settings, or one that all share."""
    if settings.security.link_secret is not None:
        return settings.security.link_secret.get_secret_value().encode()

    def work(session: Session) -> str:
        session.run(
            "INSERT INTO search_link_key (id, secret) VALUES (1, ?)"
            " ON CONFLICT (id) DO NOTHING",
            (secrets.token_hex(32),),
        )
        return str(
            session.rows("SELECT secret FROM search_link_key WHERE id = 1")[0][0]
        )

    known = database.rows("SELECT secret FROM search_link_key WHERE id = 1")
    return bytes.fromhex(known[0][0] if known else database.write(work))
