"""What happens when a client writes a Subscription: who may, what is wrong, what is hidden."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from fyr.core import (
    Forbidden,
    FyrError,
    Issue,
    Refused,
    RequestContext,
    Resource,
    Session,
)
from fyr.core.clock import to_millis
from fyr.core.context import ANONYMOUS, SYSTEM
from fyr.plugins.subscriptions.definition import MASK, Definition, read
from fyr.plugins.subscriptions.rows import Owner
from fyr.plugins.subscriptions.states import KIND
from fyr.plugins.subscriptions.topics import is_topic
from fyr.plugins.subscriptions.topics import problems as topic_problems

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fyr.core.clock import Clock
    from fyr.plugins.subscriptions.channels.channel import Channel
    from fyr.plugins.subscriptions.directory import Understanding
    from fyr.plugins.subscriptions.rights import Rights
    from fyr.plugins.subscriptions.settings import SubscriptionsSettings
    from fyr.plugins.subscriptions.table import Table

_WRITES = frozenset({"create", "update", "patch"})
_STATUSES = frozenset({"requested", "active", "error"})


class Writing:
    """Judges subscriptions, and prepares them to be stored."""

    def __init__(
        self,
        table: Table,
        understanding: Understanding,
        channels: Mapping[str, Channel],
        settings: SubscriptionsSettings,
        clock: Clock,
        rights: Rights,
    ) -> None:
        """Take what subscriptions are held against."""
        self._rights = rights
        self._table = table
        self._understanding = understanding
        self._channels = channels
        self._settings = settings
        self._clock = clock

    def authorize(self, context: RequestContext) -> None:
        """Let systems write subscriptions, and no persons.

        A person's rights end with their token, and nobody could be asked later.

        :raises Forbidden: a person would.
        """
        if context.resource_type != KIND or context.interaction not in _WRITES:
            return
        if context.principal.user_type != "SYSTEM":
            raise Forbidden("subscriptions are written by systems, not by persons")

    def topic_problems(self, resource: Resource) -> Iterator[Issue]:
        """Tell what is wrong with a Basic resource that claims to be a topic."""
        if is_topic(resource):
            yield from topic_problems(resource)

    def problems(self, context: RequestContext, resource: Resource) -> Iterable[Issue]:
        """Tell all that is wrong with a subscription, each with its path."""
        if context.principal is SYSTEM or resource.get("status") == "off":
            return
        definition = read(resource)
        found = [*definition.problems, *self._of_channel(definition)]
        if definition.end and definition.end <= to_millis(self._clock()):
            found.append(Issue("value", "the end is over", ("Subscription.end",)))
        yield from found
        if not any(one.expression == ("Subscription.criteria",) for one in found):
            yield from self._of_criteria(context, definition)

    def _of_channel(self, definition: Definition) -> Iterator[Issue]:
        path = ("Subscription.channel.type",)
        channel = self._channels.get(definition.channel)
        if channel is None:
            offered = ", ".join(sorted(self._channels))
            told = f"the channel {definition.channel[:40]!r} is none of {offered}"
            yield Issue("not-supported", told, path)
            return
        yield from channel.problems(definition)
        full = definition.content == "full-resource"
        if full and definition.channel not in self._settings.full_resource:
            instead = "ask for id-only" if definition.topic else "leave it out"
            told = f"{definition.channel} carries no resources: {instead}"
            yield Issue("not-supported", told, ("Subscription.channel.payload",))

    def _of_criteria(
        self, context: RequestContext, definition: Definition
    ) -> Iterator[Issue]:
        try:
            self._understanding.of("", definition, _owner(context))
        except FyrError as error:
            if error.status >= 500:
                raise
            for one in error.issues:
                path = one.expression or ("Subscription.criteria",)
                yield replace(one, expression=path)

    def prepare(
        self,
        context: RequestContext,
        session: Session,
        old: Resource | None,
        new: Resource,
    ) -> None:
        """Put what a client writes into the state in which it begins.

        :raises Refused: a header is hidden and nobody knows it, or there are too many.
        :raises Forbidden: it is another system's, and more than its end is written.
        """
        if old is not None and self._is_anothers(context, session, new["id"]):
            _require_only_off(old, new)
            return
        owner = _owner(context)
        owner = Owner(
            owner.principal,
            owner.service,
            owner.base_url,
            self._headers(session, old, new),
        )
        if self._table.count(session, owner, new["id"]) >= self._settings.most:
            raise Refused(f"there are {self._settings.most} subscriptions of yours")
        # Its version is known once it is stored.
        context.state[_state(new)] = owner
        if new.get("status") in _STATUSES:
            new["status"] = "requested"
        new.pop("error", None)
        hide(new)

    def _is_anothers(self, context: RequestContext, session: Session, id: str) -> bool:
        """Tell whether somebody else has it: nobody has what was written by nobody."""
        owner = self._table.owner(id, session=session)
        if owner is None or owner.principal is ANONYMOUS:
            return False
        me = context.principal
        return not (me.unrestricted or owner.is_of(me))

    def stored(self, context: RequestContext, session: Session, new: Resource) -> None:
        """Note who has written a version."""
        owner = context.state.pop(_state(new), None)
        if owner is not None:
            version = int(new["meta"]["versionId"])
            self._table.put_owner(session, new["id"], version, owner)
            self._rights.shown(session, new["id"])

    def _headers(
        self, session: Session, old: Resource | None, new: Resource
    ) -> tuple[tuple[str, str], ...]:
        """Tell the headers with their values: those that were hidden are known yet.

        Only for the endpoint that they were told for: nobody who may change it learns
        what is sent there.
        """
        sent = read(new).headers
        if not any(value == MASK for _, value in sent):
            return sent
        owner = self._table.owner(new["id"], session=session)
        known = dict(owner.headers) if owner else {}
        filled = [(n, known.get(n) if v == MASK else v) for n, v in sent]
        endpoints = [
            (one or {}).get("channel", {}).get("endpoint") for one in (old, new)
        ]
        same = endpoints[0] == endpoints[1]
        if not same or any(value is None for _, value in filled):
            path = ("Subscription.channel.header",)
            told = "headers are hidden after they were written: tell their values again"
            raise Refused([Issue("value", told, path)])
        return tuple((name, value or "") for name, value in filled)


def _require_only_off(old: Resource, new: Resource) -> None:
    """Refuse to change what another system has, but for its end.

    Who took it over would have an endpoint that they never showed to be theirs, and the
    owner would hear nothing any more. The owner stays who it was.

    :raises Forbidden: more is changed.
    """
    if new.get("status") != "off" or _substance(old) != _substance(new):
        raise Forbidden(
            "a subscription is changed by the system that wrote it; another one may"
            " delete it, or write it as it is with the status off"
        )


def _substance(resource: Resource) -> Resource:
    """Give all but the state, and what the server writes."""
    meta = resource.get("meta", {})
    left = {k: v for k, v in meta.items() if k not in ("versionId", "lastUpdated")}
    rest = {k: v for k, v in resource.items() if k not in ("status", "error", "meta")}
    return {**rest, "meta": left}


def _state(resource: Resource) -> str:
    return f"subscriptions.{resource['id']}"


def hide(resource: Resource) -> None:
    """Take the values of headers out of a subscription, which many may read."""
    channel = resource.get("channel", {})
    if channel.get("header"):
        names = [str(one).partition(":")[0].strip() for one in channel["header"]]
        channel["header"] = [f"{name}: {MASK}" for name in names]


def _owner(context: RequestContext) -> Owner:
    return Owner(context.principal, context.service.name, context.base_url)
