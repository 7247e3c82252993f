"""Whether a DeviceUseStatement was in use: one that was is never deleted.

http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-deviceusestatement
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from fyr.core import Issue, Machine, Step, broken_rule, refuses
from fyr.plugins.clinical.parts import Part, Room

if TYPE_CHECKING:
    from fyr.core import Resource, Transition

__all__ = ["PART"]

_INTENDED: Final = "intended"
_USED: Final = "used"


def _state(statement: Resource) -> str:
    """Tell ``used`` of all but what is intended: what is a mistake may have been active."""
    return _INTENDED if statement.get("status") == _INTENDED else _USED


def _refused(transition: Transition) -> Issue:
    denied = "is not deleted" if transition.new is None else "is not intended any more"
    text = f"a DeviceUseStatement that has been in use {denied}"
    return broken_rule(text, "DeviceUseStatement.status")


STATEMENT = Machine(
    "device-use-statement",
    "DeviceUseStatement",
    (
        Step(None, _INTENDED, what="It is planned."),
        Step(None, _USED, what="It begins, or is told of afterwards."),
        Step(_INTENDED, _USED, what="It begins, or is given up."),
        Step(_INTENDED, None, what="What was never in use is deleted."),
    ),
    state=_state,
    refused=refuses("GENERAL_VALIDATION_ERROR")(partial(_refused)),
    what=(
        "How a device is used. It is used once its status is another one than intended;"
        " what those may become is not said."
    ),
)


def machines(room: Room) -> Iterable[Machine]:
    """Offer the table."""
    return (STATEMENT,)


PART = Part(machines=machines)
