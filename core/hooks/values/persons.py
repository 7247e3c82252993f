"""What a national register of persons tells of one: the words of ``look_up_person``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fyr.core.model.resource import Resource


@dataclass(frozen=True, slots=True)
class RegisteredPerson:
    """A person as a register has them.

    Nothing of it is shown when it is printed, so that none of it comes into a log.
    """

    #: a Patient (https://hl7.org/fhir/R4/patient.html) without an id: the number that is
    #: valid now among its identifiers, official name, gender, birth date, whether the
    #: person has died, home address (``use`` is ``home``)
    patient: Resource = field(repr=False)
    #: numbers of the same system that the person had before
    earlier: tuple[str, ...] = field(default=(), repr=False)
