"""``$status``, ``$events``, ``$get-ws-binding-token`` and ``$resend``.

https://hl7.org/fhir/uv/subscriptions-backport/operations.html; ``$resend`` is Fyr's own.
A subscription answers to who wrote it: what it tells is what that system may see.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import orjson

from fyr.core import (
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Operation,
    OperationCall,
    OperationParameter,
    Refused,
    Resource,
)
from fyr.core.clock import instant, to_millis
from fyr.plugins.subscriptions.definition import CONTENTS, read
from fyr.plugins.subscriptions.notifications import (
    QUERY_EVENT,
    QUERY_STATUS,
    Notification,
)
from fyr.plugins.subscriptions.states import KIND, SENDER

if TYPE_CHECKING:
    from fyr.core import Application
    from fyr.core.declarations.operations import Level
    from fyr.plugins.subscriptions.guard import Guard
    from fyr.plugins.subscriptions.rights import Rights
    from fyr.plugins.subscriptions.rows import Event, Owner, Row
    from fyr.plugins.subscriptions.settings import SubscriptionsSettings
    from fyr.plugins.subscriptions.table import Table

_DEFINITIONS = "http://hl7.org/fhir/uv/subscriptions-backport/OperationDefinition/"
_TYPES = frozenset({KIND})
#: Events of one answer.
_MOST = 1000
_LARGEST = 2**62


class SubscriptionOperations:
    """Answers operations on subscriptions."""

    def __init__(
        self,
        application: Application,
        table: Table,
        guard: Guard,
        settings: SubscriptionsSettings,
        websocket_url: str,
        rights: Rights,
    ) -> None:
        """Take where subscriptions are, and where websockets are served."""
        self._application = application
        self._rights = rights
        self._table = table
        self._guard = guard
        self._settings = settings
        self._websocket_url = websocket_url

    def status(self, call: OperationCall) -> Resource:
        """Tell the status of one, or of those that are asked for."""
        wanted = {str(one) for one in call.values("status")}
        rows = self._rows(call) or self._own(call)
        entries = []
        for row, owner in rows:
            if wanted and row.status not in wanted:
                continue
            notification = self._notification(call, row, owner, QUERY_STATUS)
            entries.append(
                {
                    "fullUrl": notification.subscription_url,
                    "resource": notification.status(),
                    "search": {"mode": "match"},
                }
            )
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": len(entries),
            "entry": entries,
        }

    def events(self, call: OperationCall) -> Resource:
        """Tell events that were, as one notification."""
        (row, owner), *_ = self._rows(call)
        # 0 is before the first: all that there are.
        first = max(1, _number(call, "eventsSinceNumber", 1))
        last = _number(call, "eventsUntilNumber", _LARGEST)
        content = str(call.value("content", "") or "")
        if content and content not in CONTENTS:
            raise Invalid(f"content is one of {', '.join(CONTENTS)}")
        if first > row.events + 1:
            # Whoever has seen more has it of a store that a backup took the place of.
            raise Gone(
                f"the last event is {row.events}: those after it were lost, or are to"
                f" come; ask for all from {row.events + 1} on, and read anew"
            )
        first = self._kept_from(call, row, first)
        events = self._table.events(row.id, first, last, _MOST)
        told = self._notification(call, row, owner, QUERY_EVENT, events, content)
        bundle: Resource = orjson.loads(told.bundle())
        return bundle

    def token(self, call: OperationCall) -> Resource:
        """Give a token that binds a websocket."""
        rows = self._rows(call) or self._own(call)
        ids = [row.id for row, _ in rows if _channel(row) == "websocket"]
        if not ids:
            raise NotFound("none of these subscriptions has a websocket")
        url = self._websocket_url
        if not url:
            raise NotFound("this deployment serves no websockets")
        text = secrets.token_urlsafe(32)
        expires = (
            to_millis(self._application.clock()) + self._settings.token_seconds * 1000
        )
        session = call.session
        assert session is not None, "declared to change what is kept"
        self._table.put_token(session, token_hash(text), ids, expires)
        return {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "token", "valueString": text},
                {"name": "expiration", "valueDateTime": instant(expires)},
                *({"name": "subscription", "valueString": one} for one in ids),
                {"name": "websocket-url", "valueUrl": url},
            ],
        }

    def resend(self, call: OperationCall) -> Resource:
        """Put events into the queue again, by their numbers."""
        (row, _), *_ = self._rows(call)
        first = _number(call, "eventsSinceNumber", 1)
        last = _number(call, "eventsUntilNumber", _LARGEST)
        if row.status not in ("active", "error"):
            raise Invalid(f"the subscription is {row.status}")
        if _channel(row) == "websocket":
            raise Invalid("what was told on a websocket is asked for by $events")
        if first > max(1, row.events):
            told = f"the last event is {row.events}: there is none from {first} on"
            raise Refused(f"{told} to be sent again")
        if last < first:
            raise Refused(f"there is no event from {first} until {last}")
        first = self._kept_from(call, row, max(1, first))
        events = self._table.events(row.id, first, last, _MOST)
        session = call.session
        assert session is not None, "declared to change what is kept"
        queued = [(row.id, {"kind": "event", "number": one.number}) for one in events]
        self._application.outgoing.put_many(session, SENDER, queued)
        self._application.outgoing.hurry(session, SENDER, row.id)
        return {
            "resourceType": "Parameters",
            "parameter": [{"name": "count", "valueInteger": len(queued)}],
        }

    def _kept_from(self, call: OperationCall, row: Row, first: int) -> int:
        """Give the first number that is kept, where none is asked for.

        :raises Gone: one is asked for that is not kept any more.
        """
        oldest = self._table.oldest(row.id) or row.events + 1
        if not first < oldest or first > row.events:
            return first
        if "eventsSinceNumber" in _names(call):
            raise Gone(f"events before {oldest} are not kept any more")
        return oldest

    def _rows(self, call: OperationCall) -> list[tuple[Row, Owner]]:
        """Tell the subscriptions that a call names, each of them the caller's own."""
        ids = [call.resource_id] if call.resource_id else call.values("id")
        found = []
        for one in ids:
            row = self._table.row(str(one))
            owner = self._table.owner(row.id, row.version) if row else None
            if row is None or owner is None:
                raise NotFound(f"there is no {KIND}/{one}, or it is not looked at yet")
            self._require_own(call, owner)
            self._rights.confirm(row.id, owner, call.context.principal, call.session)
            found.append((row, owner))
        return found

    def _own(self, call: OperationCall) -> list[tuple[Row, Owner]]:
        """Tell all subscriptions of the caller."""
        found = []
        for row in self._table.rows("requested", "active", "error", "off"):
            owner = self._table.owner(row.id, row.version)
            if owner is not None and owner.is_of(call.context.principal):
                self._rights.confirm(
                    row.id, owner, call.context.principal, call.session
                )
                found.append((row, owner))
        return found

    def _require_own(self, call: OperationCall, owner: Owner) -> None:
        if not owner.is_of(call.context.principal):
            raise Forbidden("a subscription answers to the system that wrote it")

    def _notification(
        self,
        call: OperationCall,
        row: Row,
        owner: Owner,
        kind: str,
        events: Sequence[Event] = (),
        content: str = "",
    ) -> Notification:
        definition = read(row.resource())
        return Notification(
            row,
            definition,
            call.context.base_url or owner.base_url,
            kind,
            to_millis(self._application.clock()),
            events,
            lambda event: self._guard.shown(owner, event),
            content or definition.content,
        )


def token_hash(token: str) -> str:
    """Give what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _channel(row: Row) -> str:
    return read(row.resource()).channel if row.status != "off" else ""


def _names(call: OperationCall) -> set[str]:
    return {one.get("name", "") for one in call.parameters.get("parameter", [])}


def _number(call: OperationCall, name: str, default: int) -> int:
    """Read an event number, which the guide has as a text."""
    value = call.value(name)
    if value is None:
        return default
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid(f"{name} is the number of an event: {text[:40]!r}")
    return int(text)


_IDS = OperationParameter("id", "id", max="*", documentation="Subscriptions.")
_NUMBERS = (
    OperationParameter("eventsSinceNumber", "string"),
    OperationParameter("eventsUntilNumber", "string"),
)
_RETURNED = OperationParameter("return", "Bundle", 1, "1", "out")
_BOTH: frozenset[Level] = frozenset({"type", "instance"})


_TOKEN = (
    OperationParameter("token", "string", 1, "1", "out"),
    OperationParameter("expiration", "dateTime", 1, "1", "out"),
    OperationParameter("subscription", "string", 0, "*", "out"),
    OperationParameter("websocket-url", "url", 1, "1", "out"),
)


def operations_of(made: Callable[[], SubscriptionOperations]) -> Iterable[Operation]:
    """Declare the operations.

    :param made: gives what answers them, once the plugin has started.
    """
    yield Operation(
        "status",
        lambda call: made().status(call),
        _BOTH,
        _TYPES,
        definition=f"{_DEFINITIONS}backport-subscription-status",
        documentation="Tells the status of subscriptions.",
        parameters=(_IDS, OperationParameter("status", "code", max="*"), _RETURNED),
    )
    yield Operation(
        "events",
        lambda call: made().events(call),
        frozenset({"instance"}),
        _TYPES,
        definition=f"{_DEFINITIONS}backport-subscription-events",
        documentation="Tells events that a subscription had, by their numbers.",
        parameters=(*_NUMBERS, OperationParameter("content", "code"), _RETURNED),
    )
    yield Operation(
        "get-ws-binding-token",
        lambda call: made().token(call),
        _BOTH,
        _TYPES,
        affects_state=True,
        definition=f"{_DEFINITIONS}backport-subscription-get-ws-binding-token",
        documentation="Gives a token that binds a websocket to subscriptions.",
        parameters=(_IDS, *_TOKEN),
    )
    yield Operation(
        "resend",
        lambda call: made().resend(call),
        frozenset({"instance"}),
        _TYPES,
        affects_state=True,
        documentation="Sends events of a subscription again, by their numbers.",
        parameters=(
            *_NUMBERS,
            OperationParameter("count", "integer", 1, "1", "out"),
        ),
    )
