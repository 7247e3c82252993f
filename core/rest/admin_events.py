"""``/admin/events``: which consumer is behind, what was given up, and trying it again.

For the holder of ``security.admin_token``, like all of ``/admin``. A dead letter is named
by consumer and position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fyr.core.clock import instant
from fyr.core.errors import NotFound
from fyr.core.events import DeadLetter, DeadLetters
from fyr.core.events.status import Status
from fyr.core.rest.admin import AdminGate
from fyr.core.rest.admin_pages import LIST, Retry, answer, asked_of, page, page_of
from fyr.core.rest.exchange import FyrRequest, FyrResponse

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.declarations.routes import Route

EVENTS = "/admin/events"
_DEAD = f"{EVENTS}/dead-letters"


def event_pages(application: Application, gate: AdminGate) -> list[Route]:
    """Tell the paths, and what answers there."""
    letters = DeadLetters(application.outbox)
    one = _ConsumersLetters(letters, gate)
    retry = Retry(one.retry, gate)
    letter = f"{_DEAD}/{{consumer}}/{{position:int}}"
    return [
        page(EVENTS, _Status(application, gate), "How far each consumer is."),
        page(
            _DEAD,
            _Letters(letters, gate),
            "Events that consumers gave up.",
            "beyond",
            *LIST,
        ),
        page(f"{_DEAD}/{{consumer}}", one, "Events that a consumer gave up.", *LIST),
        page(f"{_DEAD}/{{consumer}}/retry", retry, "Hands them over again."),
        page(letter, one, "An event that a consumer gave up."),
        page(f"{letter}/retry", retry, "Hands it over again."),
    ]


class _Status:
    """``/admin/events``."""

    def __init__(self, application: Application, gate: AdminGate) -> None:
        self._status = Status(application)
        self._gate = gate

    def on_get(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Answer how far each consumer is, and what is to be sent."""
        self._gate.check(req)
        answer(resp, self._status.report())

    on_head = on_get


class _Letters:
    """Dead letters of all consumers, or of one."""

    def __init__(self, letters: DeadLetters, gate: AdminGate) -> None:
        self._letters = letters
        self._gate = gate

    def on_get(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Answer a page, by consumer and position."""
        self._gate.check(req)
        asked = asked_of(req, "beyond")
        consumer, after = str(asked.get("beyond", "")), int(asked["after"])
        found = self._letters.page(consumer, after, int(asked["count"]))
        last = found[-1] if found else None
        further = {"beyond": last.consumer, "after": last.position} if last else {}
        answer(resp, page_of(req, asked, [_letter(one) for one in found], further))

    on_head = on_get


class _ConsumersLetters:
    """Dead letters of one consumer, all or one."""

    def __init__(self, letters: DeadLetters, gate: AdminGate) -> None:
        self._letters = letters
        self._gate = gate

    def on_get(
        self,
        req: FyrRequest,
        resp: FyrResponse,
        consumer: str,
        position: int | None = None,
    ) -> None:
        """Answer a page of them, or the one."""
        self._gate.check(req)
        if position is not None:
            found = self._letters.of(consumer, position - 1, 1)
            if not found or found[0].position != position:
                told = f"{consumer[:80]} has no dead letter at {position}"
                raise NotFound(told)
            answer(resp, _letter(found[0]))
            return
        asked = asked_of(req)
        found = self._letters.of(consumer, int(asked["after"]), int(asked["count"]))
        further = {"after": found[-1].position} if found else {}
        answer(resp, page_of(req, asked, [_letter(one) for one in found], further))

    on_head = on_get

    def on_delete(
        self,
        req: FyrRequest,
        resp: FyrResponse,
        consumer: str,
        position: int | None = None,
    ) -> None:
        """Give up; answer how many."""
        self._gate.check(req)
        answer(resp, {"discarded": self._letters.drop(consumer, position)})

    def retry(self, consumer: str, position: int | None = None) -> int:
        """Have one, or all, tried again.

        :raises NotFound: there is no such consumer or dead letter.
        """
        return self._letters.retry(consumer, position)


def _letter(one: DeadLetter) -> dict[str, Any]:
    """Tell a dead letter; not what the event holds, which is data of persons."""
    change = one.change
    told = {
        "consumer": one.consumer,
        "position": one.position,
        "attempts": one.attempts,
        "at": instant(one.at),
        "error": one.error,
        "event": None,
    }
    if change is not None:
        told["event"] = {
            "topic": change.topic,
            "subject": change.subject if change.type else None,
            "version": change.version,
            "method": change.method,
            "at": instant(change.at),
            "traceId": change.trace_id,
        }
    return told
