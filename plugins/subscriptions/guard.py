"""What the one who wrote a subscription may be told, asked of the same hooks as requests.

Each criterion is understood as a search of theirs, each change is judged as a read of
theirs, and each resource that is sent is read in their name when it is sent. So nothing
is told that they could not ask for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from fyr.core import Forbidden, FyrError, RequestContext, Service, Subject
from fyr.core.context import ANONYMOUS
from fyr.core.interactions.judge import judge_of_search
from fyr.core.interactions.looking import Looking
from fyr.core.store.port import Stored

if TYPE_CHECKING:
    from fyr.core import Application
    from fyr.core.searching import Matcher
    from fyr.plugins.subscriptions.rows import Event, Owner


class Guard:
    """Asks in the name of owners."""

    def __init__(self, application: Application) -> None:
        """Take the application."""
        self._application = application
        self._interactions = application.interactions
        self._hooks = application.hooks

    def context(
        self,
        owner: Owner,
        interaction: str,
        kind: str,
        identity: str | None = None,
        params: Sequence[tuple[str, str]] = (),
    ) -> RequestContext:
        """Make the request that an owner would make.

        :raises Forbidden: nobody is the owner any more, or their service is gone.
        """
        mode = self._application.settings.security.mode
        if owner.principal is ANONYMOUS and mode != "open":
            raise Forbidden("it was written while everybody might do everything")
        return RequestContext(
            self._service(owner.service),
            interaction,
            kind,
            identity,
            params=tuple(params),
            principal=owner.principal,
            base_url=owner.base_url,
            now=self._application.clock(),
        )

    def matcher(self, owner: Owner, kind: str, query: str) -> Matcher:
        """Understand criteria as a search of the owner's.

        :raises fyr.core.errors.FyrError: they may not ask this, or it means nothing, or
            it cannot be told of one resource.
        """
        engine = self._application.search
        if engine is None:
            raise Forbidden("this server has no search")
        pairs = parse_qsl(query, keep_blank_values=True)
        context = self.context(owner, "search-type", kind, params=pairs)
        if not context.service.offers(kind, "search-type"):
            raise Forbidden(f"{kind[:80]} cannot be searched at this service")
        if self._hooks.authorize:
            self._hooks.authorize(context=context)
        self._require_read(owner, kind)
        if self._hooks.narrow_search:
            pairs = list(
                self._hooks.narrow_search(
                    context=context, resource_type=kind, params=[*pairs]
                )
            )
        interactions = self._interactions
        return self._application.database.read(
            lambda session: engine.matcher(
                session,
                context,
                kind,
                pairs,
                judge_of_search(interactions, session, context),
            )
        )

    def _require_read(self, owner: Owner, kind: str) -> None:
        """Refuse who may read nothing of a type: they would never be told of it."""
        context = self.context(owner, "read", kind)
        if not context.service.offers(kind, "read"):
            raise Forbidden(f"{kind[:80]} cannot be read at this service")
        if self._hooks.authorize:
            self._hooks.authorize(context=context)

    def may_see(self, owner: Owner, stored: Stored) -> bool:
        """Tell whether the owner might read a version now, and what came of it."""
        try:
            context = self.context(owner, "read", stored.type, stored.id)
            if not context.service.offers(stored.type, "read"):
                return False
            if self._hooks.authorize:
                self._hooks.authorize(context=context)
            if self._hooks.authorize_resource:
                self._judge(context, stored)
        except Forbidden:
            return False
        return True

    def _judge(self, context: RequestContext, stored: Stored) -> None:
        look = Looking(self._interactions)
        subject = Subject.of(stored)
        self._hooks.authorize_resource(
            context=context, subject=subject, use="read", look=look
        )
        newest = self._application.resources.read(stored.type, stored.id)
        # What was moved out of somebody's reach meanwhile is not told of either.
        if newest is not None and newest.body and newest.version != stored.version:
            self._hooks.authorize_resource(
                context=context, subject=Subject.of(newest), use="read", look=look
            )

    def shown(self, owner: Owner, event: Event) -> bytes | None:
        """Read what an event is about as the owner may see it; ``None``: not, or gone."""
        try:
            context = self.context(owner, "vread", event.type, event.id)
            return self._interactions.vread(context, str(event.version)).body
        except FyrError as error:
            if error.status >= 500:
                raise
            return None

    def _service(self, name: str) -> Service:
        services = self._application.services
        found = next((one for one in services if one.name == name), None)
        if found is None:
            raise Forbidden("the service that it was written at is not there any more")
        return found
