"""What of a patient only the register of persons changes: number, name and address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fyr.core import Issue
from fyr.core.context import SYSTEM
from fyr.plugins.administrative.codes import CODES
from fyr.plugins.administrative.cpr import numbers

if TYPE_CHECKING:
    from fyr.core import Resource
    from fyr.plugins.administrative.parts import Write


def of_patient(write: Write) -> Iterator[Issue]:
    """Tell which edits of a patient the register would have to make.

    They are about patients who have a CPR number; Fyr itself writes what it is told.
    """
    if write.context.principal is SYSTEM:
        return
    old, new = write.old, write.new
    before = set(numbers(old.get("identifier", ()))) if old is not None else set()
    if old is None or not before:
        return
    after = set(numbers(new.get("identifier", ())))
    if before != after:
        changed = CODES["PATIENT_CPR_CHANGE_IS_NOT_ALLOWED"]
        code = changed if after else CODES["PATIENT_MUST_HAVE_CRN_IDENTIFIER"]
        yield code.issue(expression=("Patient.identifier",))
    if _official(old) != _official(new):
        yield CODES["PATIENT_OFFICIAL_NAME_CHANGE_NOT_ALLOWED"].issue(
            expression=("Patient.name",)
        )
    if _homes(old) != _homes(new):
        yield CODES["PATIENT_HOME_ADDRESS_CHANGE_IS_NOT_ALLOWED"].issue(
            expression=("Patient.address",)
        )


def _official(patient: Resource) -> list[Resource]:
    """Give the names that are official, said so or of no other use."""
    names: list[Resource] = patient.get("name", [])
    return [one for one in names if one.get("use", "official") == "official"]


def _homes(patient: Resource) -> list[Resource]:
    addresses: list[Resource] = patient.get("address", [])
    return [one for one in addresses if one.get("use") == "home"]
