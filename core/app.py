"""The application: every room below HTTP joined, from settings to a worker.

The one place where the parts meet; each of them is given what it needs and builds
nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core.blobs.open import open_blobs
from fyr.core.blobs.sweep import Sweep
from fyr.core.clock import Clock, utc_now
from fyr.core.context import TOLD
from fyr.core.declarations.deprecation import Deprecation, Deprecations
from fyr.core.declarations.operations import Operations
from fyr.core.errors.catalogue import ErrorCodes, general_error_codes
from fyr.core.events import (
    Outbox,
    Relay,
    Retention,
    Worker,
    consumers_of,
    event_readings,
)
from fyr.core.hooks.loading import load_plugins
from fyr.core.hooks.pipeline import Hooks
from fyr.core.hooks.plugin import Plugin
from fyr.core.hooks.values.subjects import Subject
from fyr.core.interactions import Interactions
from fyr.core.interactions.acting import Acting
from fyr.core.interactions.looking import Looking
from fyr.core.interactions.planned import scheduled_changes
from fyr.core.interactions.services import registered_services
from fyr.core.interactions.validate import VALIDATE
from fyr.core.jobs import Job, Jobs, Runs
from fyr.core.messages.publishing import Publishing
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.observability.metrics import Metrics
from fyr.core.outgoing.dispatcher import Dispatcher
from fyr.core.outgoing.open import open_queue, outgoing_readings
from fyr.core.sealing import Sealer
from fyr.core.store.open import open_database
from fyr.core.store.resources import ResourceStore
from fyr.core.workflow import Machines
from fyr.core.workflow.firing import Firing
from fyr.core.workflow.open import open_timers, timer_readings

if TYPE_CHECKING:
    from fyr.core.context import RequestContext
    from fyr.core.declarations.routes import Route
    from fyr.core.hooks.values.subjects import Use
    from fyr.core.model.resource import Resource
    from fyr.core.searching import SearchEngine
    from fyr.core.store.port import Database, Session
    from fyr.core.streams import Stream

T = TypeVar("T")
P = TypeVar("P")


class Application:
    """A Fyr in one process; any number of them share one database.

    What plugins may use of it is declared, and told, at :class:`fyr.core.Application`.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock = utc_now,
        plugins: Mapping[str, ModuleType | type[Plugin]] | None = None,
    ) -> None:
        """Join everything, open the database and tell the plugins to start.

        :param plugins: plugins at hand, by name, beside those that the settings name.
        :raises fyr.config.load.ConfigError: settings or plugins cannot be used.
        :raises fyr.core.errors.FyrError: the database cannot be reached, or has a
            schema that this version cannot work with.
        """
        self.settings = settings
        self.clock = clock
        self.plugins = load_plugins(settings, clock=clock, plugins=plugins)
        self.hooks = self.plugins.hooks
        self.database: Database = open_database(settings)
        self._stores = ExitStack()
        self._stores.callback(self.database.close)
        try:
            self._join()
            # Before the first write of this process: a new consumer misses none of them.
            self.relay.register()
            self.plugins.start(self)
        except BaseException:
            self._stores.close()
            raise

    def _join(self) -> None:
        hooks, clock = self.hooks, self.clock
        self.resources = ResourceStore(self.database)
        given = hooks.provide_blob_store
        self.blobs = open_blobs(
            self.settings,
            self.database,
            self.resources,
            clock,
            given(settings=self.settings) if given else None,
        )
        self._stores.callback(self.blobs.store.close)
        self.services = registered_services(self.settings, hooks)
        self.operations = registered_operations(hooks)
        self.error_codes = registered_error_codes(hooks)
        self.timers = open_timers(
            self.settings, self.database, _all(hooks.register_timers), clock
        )
        self.machines = Machines(_all(hooks.register_machines), self.timers)
        self.timers.add(scheduled_changes(self.machines))
        self.search = self._search_engine()
        self.outbox = Outbox(self.database, self.resources, clock=clock)
        self.publishing = Publishing(
            self.settings.messages,
            hooks.register_message_sources(settings=self.settings),
            self.database,
        )
        self.consumers = [
            *consumers_of(hooks.deliveries()),
            *hooks.register_consumers(settings=self.settings, database=self.database),
            *self.publishing.consumers,
        ]
        self.jobs = Jobs(self.database, _all(hooks.register_jobs), clock=clock)
        self.outgoing = open_queue(self.settings, self.database, clock)
        self.dispatcher = Dispatcher(
            self.outgoing, _all(hooks.register_senders), self.settings, clock=clock
        )
        self.relay = Relay(
            self.outbox, self.consumers, self.settings.events, clock=clock
        )
        for job in self._own_jobs():
            self.jobs.add(job)
        self.deprecations = Deprecations()
        self.metrics = self._measured()
        hooks.on_failure(self.metrics.plugin_failed)
        self.plugins.watch.on_slow = self.metrics.plugin_slow
        if self.search is not None:
            self.search.on_search(self.metrics.searched)
            self.search.knows_own(self.services.own)
        self.interactions = self._interactions()

    def _measured(self) -> Metrics:
        metrics, clock = Metrics(), self.clock
        own = frozenset(consumer.name for consumer in self.consumers)
        metrics.add_source(lambda: event_readings(self.outbox, own, clock=clock))
        metrics.add_source(lambda: outgoing_readings(self.outgoing))
        metrics.add_source(lambda: timer_readings(self.timers))
        return metrics

    def _interactions(self) -> Interactions:
        return Interactions(
            settings=self.settings,
            database=self.database,
            resources=self.resources,
            hooks=self.hooks,
            search=self.search,
            services=self.services,
            operations=self.operations,
            clock=self.clock,
            blobs=self.blobs,
            machines=self.machines,
            strips=self._strips(),
        )

    def _strips(self) -> frozenset[str]:
        """Tell the resource types whose pictures are written anew."""
        chosen = self.settings.blobs.strip_pictures
        if chosen is None:
            return frozenset().union(*(one.manifest.strips for one in self.plugins))
        if unknown := sorted(set(chosen) - RESOURCE_TYPES):
            told = ", ".join(unknown)
            raise ConfigError([f"blobs.strip_pictures: no resource type: {told}"])
        return frozenset(chosen)

    def _own_jobs(self) -> list[Job]:
        """Give the jobs that no plugin offers: forgetting events, sweeping blobs."""
        keep_days = self.settings.events.keep_days
        cursors, clock = self.relay.cursors, self.clock
        kept = Retention(self.outbox, cursors, self.jobs, keep_days, clock)
        return [kept.job(), *Sweep(self.blobs).jobs()]

    def _search_engine(self) -> SearchEngine | None:
        if not self.hooks.provide_search:
            return None
        return self.hooks.provide_search(
            settings=self.settings,
            database=self.database,
            clock=self.clock,
            search_parameters=_all(self.hooks.register_search_parameters),
        )

    @cached_property
    def routes(self) -> list[Route]:
        """The plain HTTP resources of plugins; only processes that serve ask for them."""
        return _all(self.hooks.register_routes)

    @cached_property
    def streams(self) -> Mapping[str, Stream]:
        """The streams of plugins, by path; only processes that serve them ask."""
        from fyr.core.streams import registered_streams

        return registered_streams(_all(self.hooks.register_streams))

    def plugin(self, kind: type[P]) -> P | None:
        """As :meth:`fyr.core.Application.plugin` says."""
        return self.plugins.plugin(kind)

    def deprecate(self, path: str, deprecation: Deprecation) -> None:
        """As :meth:`fyr.core.Application.deprecate` says."""
        self.deprecations.add(path, deprecation)

    def sealer(self, plugin: str) -> Sealer:
        """As :meth:`fyr.core.Application.sealer` says."""
        return Sealer(self.blobs.keys, plugin)

    def answered(
        self, context: RequestContext, session: Session | None, status: int
    ) -> None:
        """As :meth:`fyr.core.Application.answered` says."""
        context.state[TOLD] = status
        if self.hooks.answered:
            self.hooks.answered(
                context=context, session=session, status=status, touched=()
            )

    def decide(self, context: RequestContext, resource: Resource, use: Use) -> None:
        """As :meth:`fyr.core.Application.decide` says."""
        if self.hooks.authorize:
            self.hooks.authorize(context=context)
        if self.hooks.authorize_resource:
            subject = Subject(
                resource["resourceType"], resource["id"], resource=resource
            )
            look = Looking(self.interactions)
            self.hooks.authorize_resource(
                context=context, subject=subject, use=use, look=look
            )

    def act(
        self, work: Callable[[Acting], T], cause: RequestContext | None = None
    ) -> T:
        """As :meth:`fyr.core.Application.act` says."""
        return self.interactions.write(
            lambda session: work(self._acting(session, cause))
        )

    def act_within(
        self,
        session: Session,
        work: Callable[[Acting], T],
        cause: RequestContext | None = None,
    ) -> T:
        """As :meth:`fyr.core.Application.act_within` says."""
        engine = self.search
        if engine is None:
            return work(self._acting(session, cause))
        # Whoever began the transaction does not say whether it has been run before.
        engine.begin(session, again=True)
        try:
            return work(self._acting(session, cause))
        finally:
            engine.end()

    def _acting(self, session: Session, cause: RequestContext | None) -> Acting:
        return Acting(self.interactions.within(session), session, cause=cause)

    def worker(self) -> Worker:
        """Make a worker: delivers events, runs jobs, fires timers, sends what is outgoing."""
        events = self.settings.events
        runs = Runs(self.jobs, events)
        firing = Firing(self.timers, self.act, events)
        return Worker(self.relay, runs, events, self.dispatcher, firing)

    def close(self) -> None:
        """Tell the plugins to stop and give the database back."""
        try:
            self.publishing.close()
            self.plugins.stop()
        finally:
            self._stores.close()


def build(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    plugins: Mapping[str, ModuleType | type[Plugin]] | None = None,
) -> Application:
    """Make an application; the caller closes it."""
    return Application(settings, clock=clock, plugins=plugins)


def registered_error_codes(hooks: Hooks) -> ErrorCodes:
    """Join the general codes with those that plugins offer.

    :raises ConfigError: two have one name.
    """
    return ErrorCodes(
        [*general_error_codes().values(), *_all(hooks.register_error_codes)]
    )


def registered_operations(hooks: Hooks) -> Operations:
    """Join the operations of the core with those that plugins offer.

    :raises ConfigError: two are offered under one name for one type and level.
    """
    return Operations([VALIDATE, *_all(hooks.register_operations)])


def _all(chain: Any) -> list[Any]:
    """Ask a registration hook that gives a list."""
    return list(chain()) if chain else []
