"""What the server says of a message itself: when it was sent, its thread, who may see it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

from fyr.core import Issue, instant
from fyr.plugins.administrative.extensions import (
    ADMINISTRATIVE_STATUS,
    RESTRICTION_CATEGORY,
    THREAD_ID,
    value_of,
)
from fyr.plugins.administrative.messages.terms import (
    ADMINISTRATIVE,
    NEMSMS,
    RESTRICTIONS,
    UNSENT,
    is_message,
    media,
)

if TYPE_CHECKING:
    from fyr.core import RequestContext, Resource, Transition
    from fyr.plugins.administrative.parts import Write

#: Where a request keeps which messages it has sent.
_SENT = "administrative.sent"


def send_at_once(write: Write) -> Iterator[Issue]:
    """Complete a message that is on its way, where nobody else has to carry it.

    Who may ask for that, and whether the message is one, is for the table of states.
    """
    old, new = write.old, write.new
    was_unsent = old is None or old.get("status") in UNSENT
    on_its_way = new.get("status") == "in-progress" and is_message(new)
    if was_unsent and on_its_way and NEMSMS not in media(new):
        new["status"] = "completed"
        write.context.state.setdefault(_SENT, set()).add(new["id"])
    return iter(())


def sent_by_server(context: RequestContext, message: Resource) -> bool:
    """Whether a message is completed because the client has asked to send it."""
    return message["id"] in context.state.get(_SENT, ())


def complete(transition: Transition) -> None:
    """Say what a client leaves to the server; what was sent stays as it is."""
    new, start = transition.resource, transition.start
    if start is not None and start not in (*UNSENT, "in-progress"):
        return
    extra = new.setdefault("extension", [])
    if value_of(new, ADMINISTRATIVE_STATUS) is None:
        coding = {"system": ADMINISTRATIVE, "code": "activate"}
        extra.append({"url": ADMINISTRATIVE_STATUS, "valueCoding": coding})
    if value_of(new, THREAD_ID) is None:
        extra.append({"url": THREAD_ID, "valueString": str(uuid4())})
    if value_of(new, RESTRICTION_CATEGORY) is None:
        coding = {"system": RESTRICTIONS, "code": "None"}
        concept = {"coding": [coding]}
        extra.append({"url": RESTRICTION_CATEGORY, "valueCodeableConcept": concept})
    if transition.end == "completed" and transition.moved:
        new.setdefault("sent", instant(transition.now))
