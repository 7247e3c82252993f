"""Websockets of subscriptions, on the port of ``[streams]``.

R4's own protocol (https://hl7.org/fhir/R4/subscription.html#2.46.7.2): ``bind [id]`` is
answered by ``bound [id]``, and each event is ``ping [id]``; ``off [id]`` is Fyr's own, once
a subscription has ended. By topic
(https://hl7.org/fhir/uv/subscriptions-backport/channels.html#websockets):
``bind-with-token [token]`` is answered by a handshake, and notifications follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from fyr.core import Change, Forbidden, FyrError, Invalid, RequestContext
from fyr.core.clock import to_millis
from fyr.core.context import ANONYMOUS
from fyr.core.streams import Stream, StreamItem, StreamListener
from fyr.plugins.subscriptions.definition import Definition, read
from fyr.plugins.subscriptions.notifications import HANDSHAKE, HEARTBEAT
from fyr.plugins.subscriptions.operations import token_hash
from fyr.plugins.subscriptions.rows import room_of
from fyr.plugins.subscriptions.states import WEBSOCKET

if TYPE_CHECKING:
    from fyr.core import Application
    from fyr.plugins.subscriptions.rows import Event, Owner, Row
    from fyr.plugins.subscriptions.sending import Sending
    from fyr.plugins.subscriptions.table import Table

PATH = "/subscriptions/websocket"
#: Subscriptions that one websocket may be bound to.
_MOST = 100


class Websockets:
    """Makes items of events, and listeners for those who come."""

    def __init__(
        self, application: Application, table: Table, sending: Sending
    ) -> None:
        """Take where subscriptions are, and what makes notifications."""
        self.application = application
        self.table = table
        self._sending = sending

    def stream(self) -> Stream:
        """Give the stream; who may listen is decided when a websocket is bound."""
        return Stream(
            PATH,
            "Events of subscriptions that have a websocket.",
            self._items,
            self._open,
            kinds=frozenset({"websocket"}),
            public=True,
        )

    def text(self, row: Row, owner: Owner, kind: str, events: Sequence[Event]) -> str:
        """Write what is sent of a subscription."""
        definition = read(row.resource())
        if not definition.topic:
            return f"bound {row.id}" if kind == HANDSHAKE else f"ping {row.id}"
        made = self._sending.notification(row, owner, definition, kind, events)
        return made.bundle().decode()

    def bound(self, id: str) -> tuple[Row, Owner, Definition]:
        """Read a subscription that a websocket is to be bound to.

        :raises Forbidden: it is not there, or has none: who knows no token learns no more.
        """
        row = self.table.row(id)
        owner = self.table.owner(id, row.version) if row else None
        if row is None or owner is None or row.status == "off":
            raise Forbidden("nothing is bound by this")
        definition = read(row.resource())
        if definition.channel != "websocket":
            raise Forbidden("nothing is bound by this")
        return row, owner, definition

    def _items(self, changes: Sequence[Change]) -> Iterator[StreamItem]:
        for change in changes:
            if change.topic == WEBSOCKET:
                yield from self._item(change)

    def _item(self, change: Change) -> Iterator[StreamItem]:
        if "ended" in change.payload:
            told = change.payload
            yield StreamItem(change.position, told["room"], told["ended"])
            return
        id_, number = change.payload["subscription"], change.payload["number"]
        events = self.table.events(id_, number, number, 1)
        try:
            row, owner, _ = self.bound(id_)
        except Forbidden:
            return
        if events:
            text = self.text(row, owner, "event", events)
            yield StreamItem(change.position, room_of(id_, owner), text)

    def _open(self, context: RequestContext) -> StreamListener:
        self.authenticate(context)
        return Bound(self, context)

    def authenticate(self, context: RequestContext) -> None:
        """Tell who comes: a page has a token and no header; a program may have one.

        :raises FyrError: the header is not good, or not any more.
        """
        authenticate = self.application.hooks.authenticate
        if context.authorization and authenticate:
            context.principal = authenticate(context=context) or ANONYMOUS


class Bound(StreamListener):
    """One websocket."""

    def __init__(self, websockets: Websockets, context: RequestContext) -> None:
        """Take who it is; it is bound to nothing yet."""
        self._websockets = websockets
        self._context = context
        self._ids: list[str] = []
        self._rooms: frozenset[str] = frozenset()
        #: whether something was bound by who it is, and not by a token
        self._by_header = False

    def wants(self, item: StreamItem) -> bool:
        """Whether an event, or the end, is of a subscription that it is bound to."""
        return item.topic in self._rooms

    def received(self, text: str) -> Iterable[str]:
        """Take ``bind`` or ``bind-with-token``.

        :raises FyrError: it is neither, or not allowed.
        """
        word, _, rest = text.strip().partition(" ")
        if word == "bind-with-token":
            ids = self._of_token(rest.strip())
        elif word == "bind":
            ids = [self._own(rest.strip())]
        else:
            raise Invalid("say bind-with-token [token], or bind [id]")
        if len(self._ids) + len(ids) > _MOST:
            raise Invalid(f"a websocket is bound to {_MOST} subscriptions at most")
        return [self._bind(one) for one in ids]

    def recheck(self, context: RequestContext) -> None:
        """Look whether who has bound something without a token is still known.

        :raises FyrError: it is not.
        """
        if not self._by_header:
            return
        self._websockets.authenticate(context)
        if context.principal != self._context.principal:
            raise Forbidden("you are another now")

    def silent(self) -> Iterable[str]:
        """Give the heartbeats of those subscriptions that asked for some."""
        for one in self._ids:
            try:
                row, owner, definition = self._websockets.bound(one)
            except FyrError:
                continue
            if definition.topic and definition.heartbeat:
                if room_of(one, owner) in self._rooms:
                    yield self._websockets.text(row, owner, HEARTBEAT, ())

    def _bind(self, id: str) -> str:
        row, owner, _ = self._websockets.bound(id)
        self._ids.append(id)
        self._rooms |= {room_of(id, owner)}
        return self._websockets.text(row, owner, HANDSHAKE, ())

    def _of_token(self, token: str) -> list[str]:
        now = to_millis(self._websockets.application.clock())
        ids = self._websockets.table.token(token_hash(token), now)
        if not ids:
            raise Forbidden("the token is unknown, or its time is over")
        return ids

    def _own(self, id: str) -> str:
        """Let the owner bind without a token; in open mode everybody is the owner."""
        _, owner, _ = self._websockets.bound(id)
        mode = self._websockets.application.settings.security.mode
        principal = self._context.principal
        if not owner.is_of(principal) or (principal is ANONYMOUS and mode != "open"):
            raise Forbidden("nothing is bound by this")
        self._by_header = True
        return id
