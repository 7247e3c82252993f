"""Messages between citizens, care teams and Fyr: Communication of the profile ehealth-message.

``states`` is the table of steps, ``guards`` what must hold for a message, ``completing``
what the server says of one itself, ``generating`` which messages Fyr sends when an episode
of care or a care plan changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.plugins.administrative.messages.completing import send_at_once
from fyr.plugins.administrative.messages.generating import consumer
from fyr.plugins.administrative.messages.states import MESSAGE
from fyr.plugins.administrative.parts import Part

if TYPE_CHECKING:
    from fyr.core import Consumer, Machine
    from fyr.plugins.administrative.parts import Room

__all__ = ["PART"]


def _machines(room: Room) -> Iterable[Machine]:
    return (MESSAGE,)


def _consumers(room: Room) -> Iterable[Consumer]:
    return (consumer(room),)


PART = Part(
    machines=_machines, consumers=_consumers, rules={"Communication": send_at_once}
)
