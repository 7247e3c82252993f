"""``/admin/outgoing``: receivers outside, and the messages that they never took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fyr.core.clock import instant
from fyr.core.outgoing.queue import NEVER
from fyr.core.rest.admin import AdminGate
from fyr.core.rest.admin_pages import LIST, Retry, answer, asked_of, page, page_of
from fyr.core.rest.exchange import FyrRequest, FyrResponse

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.declarations.routes import Route
    from fyr.core.outgoing.message import Outgoing
    from fyr.core.outgoing.queue import DestinationState

OUTGOING = "/admin/outgoing"
_DEAD = f"{OUTGOING}/dead-letters"


def outgoing_pages(application: Application, gate: AdminGate) -> list[Route]:
    """Tell the paths, and what answers there."""
    letters = _OutgoingLetters(application, gate)
    retry = Retry(letters.retry, gate)
    one = _OneOutgoing(application, gate)
    return [
        page(
            OUTGOING,
            _Destinations(application, gate),
            "Receivers, how they fare.",
            "sender",
            "beyond",
            "from",
            *LIST,
        ),
        page(_DEAD, letters, "Messages that were given up.", "sender", *LIST),
        page(f"{_DEAD}/{{id:int}}", one, "A message that was given up."),
        page(f"{_DEAD}/{{id:int}}/retry", retry, "Sends it again."),
    ]


class _Destinations:
    """``/admin/outgoing``: receivers outside, and how they fare."""

    def __init__(self, application: Application, gate: AdminGate) -> None:
        self._queue = application.outgoing
        self._host = application.dispatcher.host
        self._gate = gate

    def on_get(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Answer a page, by sender and destination."""
        self._gate.check(req)
        asked = asked_of(req, "sender", "beyond", "from")
        beyond = (str(asked.get("from", "")), str(asked.get("beyond", "")))
        sender = str(asked.get("sender", ""))
        found = self._queue.destinations(beyond, int(asked["count"]), sender=sender)
        last = found[-1] if found else None
        further = {"from": last.sender, "beyond": last.destination} if last else {}
        told = [
            _destination(one, self._host(one.sender, one.destination)) for one in found
        ]
        answer(resp, page_of(req, asked, told, further))

    on_head = on_get


class _OutgoingLetters:
    """Messages to receivers outside that were given up."""

    def __init__(self, application: Application, gate: AdminGate) -> None:
        self._queue = application.outgoing
        self._gate = gate

    def on_get(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Answer a page, by id."""
        self._gate.check(req)
        asked = asked_of(req, "sender")
        found = self._queue.dead(
            int(asked["after"]),
            int(asked["count"]),
            sender=str(asked.get("sender", "")),
        )
        further = {"after": found[-1].id} if found else {}
        answer(resp, page_of(req, asked, [_outgoing(one) for one in found], further))

    on_head = on_get

    def retry(self, id: int) -> int:
        """Have one sent again."""
        self._queue.retry(id)
        return 1


class _OneOutgoing:
    """One message to a receiver outside that was given up."""

    def __init__(self, application: Application, gate: AdminGate) -> None:
        self._queue = application.outgoing
        self._gate = gate

    def on_delete(self, req: FyrRequest, resp: FyrResponse, id: int) -> None:
        """Give it up for good."""
        self._gate.check(req)
        self._queue.discard(id)
        answer(resp, {"discarded": 1})


def _destination(one: DestinationState, host: str) -> dict[str, Any]:
    return {
        "sender": one.sender,
        "destination": one.destination,
        "host": host,
        "waiting": one.waiting,
        "dead": one.dead,
        "sent": one.sent,
        "failures": one.failures,
        "error": one.error,
        "nextTry": None if one.due >= NEVER else instant(one.due),
    }


def _outgoing(one: Outgoing) -> dict[str, Any]:
    return {
        "id": one.id,
        "sender": one.sender,
        "destination": one.destination,
        "attempts": one.attempts,
        "created": instant(one.created),
        "at": instant(one.changed),
        "error": one.error,
    }
