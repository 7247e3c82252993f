"""Who somebody is: citizens by their CPR number, here and in a national register.

``matching`` is ``Person/$match``, ``creating`` ``Patient/$createPatient``; ``finding`` is
the order in which both look; ``edits`` is what nobody but the register changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.plugins.administrative.parts import Part
from fyr.plugins.administrative.persons.creating import create_patient
from fyr.plugins.administrative.persons.edits import of_patient
from fyr.plugins.administrative.persons.matching import match

if TYPE_CHECKING:
    from fyr.core import Operation
    from fyr.plugins.administrative.parts import Room

__all__ = ["PART"]


def _operations(room: Room) -> Iterable[Operation]:
    return match(room), create_patient(room)


PART = Part(operations=_operations, rules={"Patient": of_patient})
