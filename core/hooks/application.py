"""The server as its plugins see it: what they may use of it, and no more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core.blobs import Blobs
    from fyr.core.clock import Clock
    from fyr.core.context import RequestContext
    from fyr.core.declarations.deprecation import Deprecation
    from fyr.core.declarations.routes import Route
    from fyr.core.errors.catalogue import ErrorCodes
    from fyr.core.events import Outbox
    from fyr.core.hooks.pipeline import Hooks
    from fyr.core.hooks.values.subjects import Use
    from fyr.core.interactions import Interactions
    from fyr.core.interactions.acting import Acting
    from fyr.core.interactions.services import Services
    from fyr.core.jobs import Jobs
    from fyr.core.messages.publishing import Publishing
    from fyr.core.model.resource import Resource
    from fyr.core.observability.metrics import Metrics
    from fyr.core.outgoing.queue import OutgoingQueue
    from fyr.core.sealing import Sealer
    from fyr.core.searching import SearchEngine
    from fyr.core.store.port import Database, Session
    from fyr.core.store.resources import ResourceStore
    from fyr.core.workflow import Timers

T = TypeVar("T")
P = TypeVar("P")


class Application(Protocol):
    """A server that stands: given to :meth:`fyr.core.Plugin.start`.

    :class:`fyr.core.app.Application` is one; it has more, for those who run it.
    """

    settings: Settings
    clock: Clock
    #: transactions on the database, for a plugin's own tables too
    database: Database
    #: versions of resources, past all hooks
    resources: ResourceStore
    #: contents of any size, beside the database
    blobs: Blobs
    #: what is offered under which base URLs
    services: Services
    #: FHIR's interactions, with all their hooks
    interactions: Interactions
    #: ``None`` without a plugin that finds
    search: SearchEngine | None
    hooks: Hooks
    jobs: Jobs
    timers: Timers
    #: tells consumers of what is no change of a resource
    outbox: Outbox
    #: what is to be sent to receivers outside
    outgoing: OutgoingQueue
    publishing: Publishing
    metrics: Metrics
    error_codes: ErrorCodes

    @property
    def routes(self) -> Sequence[Route]:
        """The plain HTTP resources of plugins; only where requests are served."""

    def plugin(self, kind: type[P]) -> P | None:
        """Find the plugin of a class, if it takes part."""

    def deprecate(self, path: str, deprecation: Deprecation) -> None:
        """Have answers below a path say that it will go; before the first request."""

    def sealer(self, plugin: str) -> Sealer:
        """Give what seals and opens secrets of a plugin, under a key of its own.

        :raises fyr.config.load.ConfigError: there is no master key
            (``blobs.master_key``).
        """

    def answered(
        self, context: RequestContext, session: Session | None, status: int
    ) -> None:
        """Tell plugins, the audit log for one, what a plugin's route has done.

        In the route's own transaction, so that both are kept or neither (hook
        :func:`~fyr.core.hooks.specs.answered`); without one, before anything is shown.
        The core tells of each request to a route that is not public by itself, but of
        what was told here.

        :param context: ``interaction`` is ``operation``, ``operation`` its name.
        """

    def decide(self, context: RequestContext, resource: Resource, use: Use) -> None:
        """Let pass who might do such a thing with such a resource, or refuse it.

        For routes that keep what is no resource: plugins are asked by ``authorize`` and
        ``authorize_resource``, as if it were stored where ``context.service`` is.

        :param context: made for this, with the caller's principal.
        :param resource: with type and id; what it says that it belongs to, relative.
        :raises fyr.core.errors.Forbidden: a plugin does not allow it.
        """

    def act(
        self, work: Callable[[Acting], T], cause: RequestContext | None = None
    ) -> T:
        """Have Fyr itself do something in a transaction: jobs, timers, commands.

        :param work: may be called again, when the transaction has lost a race.
        """

    def act_within(
        self,
        session: Session,
        work: Callable[[Acting], T],
        cause: RequestContext | None = None,
    ) -> T:
        """Do the same in a transaction that is running: the note of a consumer's."""
