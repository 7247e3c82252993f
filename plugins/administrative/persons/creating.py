"""``Patient/$createPatient``: a citizen becomes a patient, with what the register knows.

It is the only way to make a Patient that services offer. Whoever is here already is
answered as they are; whoever is here under a number of before gets what the register has
now, and the new number, so the answer may have another number than was asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fyr.core import Operation, OperationParameter
from fyr.core.searching import escaped
from fyr.plugins.administrative import cpr
from fyr.plugins.administrative.extensions import PROVIDERS
from fyr.plugins.administrative.persons.finding import (
    all_of,
    here,
    look_up,
    number_in,
    unknown,
)

if TYPE_CHECKING:
    from fyr.core import Acting, OperationCall, RegisteredPerson, Resource
    from fyr.plugins.administrative.parts import Room

_PROFILE = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-patient"
#: What the register says of somebody, whatever is here.
_REGISTERED = (
    "name",
    "gender",
    "birthDate",
    "deceasedBoolean",
    "deceasedDateTime",
    "address",
    "generalPractitioner",
)


def create_patient(room: Room) -> Operation:
    """Make the operation."""
    return Operation(
        "createPatient",
        lambda call: _create(room, call),
        frozenset({"type"}),
        frozenset({"Patient"}),
        affects_state=True,
        documentation=(
            "Makes a patient of whoever has a CPR number, with what the register of"
            " persons knows, or answers the patient who is here already."
        ),
        parameters=(
            OperationParameter(
                "crn", "Identifier", 1, "1", documentation="The CPR number."
            ),
            OperationParameter(
                "return",
                "Patient",
                1,
                "1",
                "out",
                "The patient; the number may be a newer one than was given.",
            ),
        ),
    )


def _create(room: Room, call: OperationCall) -> Resource:
    place = f"{call.place('crn')}.value"
    number = number_in([call.value("crn")], place)
    acting = call.acting()
    found = look_up(room, acting, number)
    if found.registered is None:
        if not found.local:
            raise unknown(place)
        return found.local[0]
    wanted = all_of(found.registered)
    # Of two who ask at the same time, the second one finds what the first one makes.
    acting.claim(f"Patient {wanted[0]}")
    local = here(acting, wanted)
    person = _with_practitioner(acting, found.registered.patient)
    if local:
        return _renewed(acting, local[0], person, found.registered)
    return call.on_behalf().create(_new(person, found.registered))


def _new(person: Resource, registered: RegisteredPerson) -> Resource:
    meta = {**person.get("meta", {}), "profile": [_PROFILE]}
    before = [cpr.earlier(one) for one in registered.earlier]
    identifiers = [*person.get("identifier", ()), *before]
    return {**person, "meta": meta, "identifier": identifiers}


def _renewed(
    acting: Acting,
    patient: Resource,
    person: Resource,
    registered: RegisteredPerson,
) -> Resource:
    """Give a patient what the register says now; a register is never told anything."""
    changed: dict[str, Any] = {**patient}
    for element in _REGISTERED:
        if element in person:
            changed[element] = person[element]
    others = [
        one for one in patient.get("identifier", ()) if one.get("system") != cpr.CPR
    ]
    changed["identifier"] = [*_new(person, registered)["identifier"], *others]
    if changed == patient:
        return patient
    return acting.update(changed)


def _with_practitioner(acting: Acting, person: Resource) -> Resource:
    """Refer to the general practitioner's organization, where one is kept here."""
    practitioners = [
        _resolved(acting, one) for one in person.get("generalPractitioner", ())
    ]
    if not practitioners:
        return person
    return {**person, "generalPractitioner": practitioners}


def _resolved(acting: Acting, practitioner: Resource) -> Resource:
    identifier = practitioner.get("identifier", {})
    if identifier.get("system") != PROVIDERS or not identifier.get("value"):
        return practitioner
    found = acting.find(
        "Organization", ("providerIdentifier:exact", escaped(identifier["value"]))
    )
    if len(found) != 1:
        return practitioner
    return {"reference": f"Organization/{found[0]['id']}", **practitioner}
