"""The states of a message: written, on its way, sent or failed.

A client asks to send a message by ``in-progress``. What needs nobody to carry it is sent
with that and stored as ``completed``; a NemSMS stays on its way until whoever carries it
says what became of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fyr.core import Machine, Step
from fyr.core.workflow import ANYBODY, refuses
from fyr.plugins.administrative.codes import CODES
from fyr.plugins.administrative.messages.completing import complete
from fyr.plugins.administrative.messages.guards import (
    PEOPLE,
    is_note,
    only_receipt,
    says_why,
    sent_at_once,
    well_formed,
)
from fyr.plugins.administrative.messages.terms import UNSENT, is_message

if TYPE_CHECKING:
    from fyr.core import FyrError, Transition

_SERVER = frozenset({"SYSTEM"})
_ON_ITS_WAY = CODES[
    "COMMUNICATION_WITH_STATUS_INPROGRESS_OR_STOPPED_CANNOT_BE_UPDATED_BY_CLIENT"
]
_SERVERS_OWN = CODES[
    "COMMUNICATION_STATUS_COMPLETED_OR_STOPPED_CANNOT_BE_SET_BY_CLIENT"
]
_SENT = CODES[
    "COMMUNICATION_ONLY_ADMINISTRATIVE_STATUS_AND_RECEIVED_CAN_BE_UPDATED_WHEN_STATUS_IS_COMPLETED"
]


@refuses(_ON_ITS_WAY.name, _SENT.name, _SERVERS_OWN.name)
def _refused(transition: Transition) -> FyrError:
    """Say why a step is in no row: by where the message stands, then by where it goes."""
    if transition.start in ("in-progress", "stopped"):
        code = _ON_ITS_WAY
    elif transition.start == "completed":
        code = _SENT
    else:
        code = _SERVERS_OWN
    return code.error(expression=("Communication.status",))


def _steps() -> Iterator[Step]:
    for end in UNSENT:
        yield Step(None, end)
    yield Step(None, "in-progress", what="a NemSMS")
    yield Step(None, "completed", by=PEOPLE, when=(sent_at_once,), what="sent at once")
    for start in UNSENT:
        for end in UNSENT:
            if start != end:
                yield Step(start, end)
        yield Step(start, "in-progress", what="a NemSMS")
        yield Step(
            start, "completed", by=PEOPLE, when=(sent_at_once,), what="sent at once"
        )
        yield Step(start, "completed", by=_SERVER)
        yield Step(start, None)
    yield Step("in-progress", "in-progress", by=_SERVER, refused=_ON_ITS_WAY)
    yield Step(
        "in-progress", "completed", by=_SERVER, refused=_ON_ITS_WAY, what="delivered"
    )
    yield Step(
        "in-progress",
        "stopped",
        by=_SERVER,
        when=(says_why,),
        refused=_ON_ITS_WAY,
        what="not delivered",
    )
    yield Step("in-progress", None, by=_SERVER, refused=_ON_ITS_WAY)
    yield Step("stopped", "stopped", by=_SERVER, refused=_ON_ITS_WAY)
    yield Step("stopped", None, by=ANYBODY)
    yield Step(
        "completed",
        "completed",
        by=PEOPLE,
        when=(only_receipt,),
        what="received, read, dealt with; the text of a note",
    )
    yield Step("completed", "completed", by=_SERVER)
    yield Step("completed", None, by=PEOPLE, when=(is_note,), what="a note")
    yield Step("completed", None, by=_SERVER)


MESSAGE = Machine(
    "message",
    "Communication",
    tuple(_steps()),
    holds=is_message,
    refused=_refused,
    when=(well_formed,),
    then=(complete,),
    what=(
        "Whoever writes a message changes it until it is sent; then its recipient says"
        " that it was received and dealt with. Who is sender and who is recipient is for"
        " access control."
    ),
)
