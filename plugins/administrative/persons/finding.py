"""Citizens by a CPR number: first among the Patients here, then in a register.

A register is what a plugin answers to ``look_up_person``. It also knows the numbers that
somebody had before, and whoever is here under one of those is found by the new one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fyr.plugins.administrative.codes import CODES
from fyr.plugins.administrative.cpr import CPR, criteria, numbers, ten_digits

if TYPE_CHECKING:
    from fyr.core import Acting, FyrError, RegisteredPerson, Resource
    from fyr.plugins.administrative.parts import Room


@dataclass(frozen=True, slots=True)
class Found:
    """Who has a number; nothing of it is shown when it is printed."""

    #: Patients that are kept here, usually one or none
    local: list[Resource] = field(repr=False)
    #: the person as the register has them, if it was asked and knows the number
    registered: RegisteredPerson | None = field(default=None, repr=False)


def number_in(identifiers: Iterable[Resource], place: str) -> str:
    """Tell the number that a caller gives.

    :param place: FHIRPath of the identifiers, for the error.
    :raises Invalid: there is none, or it has not the form of one.
    """
    given = next(filter(None, map(ten_digits, identifiers)), None)
    if given is None:
        raise CODES["PERSON_CPR_NUMBER_NOT_PROVIDED"].error(expression=(place,))
    return given


def look_up(room: Room, acting: Acting, number: str) -> Found:
    """Find who has a number, or had it once.

    :raises Unavailable: nobody here has it, and the register cannot be asked.
    """
    local = here(acting, (number,))
    if local:
        return Found(local)
    ask = room.application.hooks.look_up_person
    registered = ask(system=CPR, number=number) if ask else None
    if registered is None:
        return Found([])
    return Found(here(acting, all_of(registered)), registered)


def here(acting: Acting, wanted: Iterable[str]) -> list[Resource]:
    """Find the Patients that are kept here with one of some numbers."""
    return acting.find("Patient", criteria(wanted))


def all_of(person: RegisteredPerson) -> list[str]:
    """Tell all numbers of a person, that of now first."""
    now = numbers(person.patient.get("identifier", ()))
    return list(dict.fromkeys([*now, *person.earlier]))


def unknown(place: str) -> FyrError:
    """Say that the register knows nobody with a number."""
    code = CODES["PERSON_WITH_THAT_CPR_NUMBER_DOES_NOT_EXIST"]
    return code.error(expression=(place,))
