"""``Person/$match``: who has a CPR number, and whether that is a patient here already.

https://hl7.org/fhir/R4/patient-operation-match.html, for Person. Whoever is a patient is
linked to; of others it tells number, name and whether they have died, and keeps nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fyr.core import Operation, OperationParameter
from fyr.plugins.administrative.codes import CODES
from fyr.plugins.administrative.persons.finding import look_up, number_in

if TYPE_CHECKING:
    from fyr.core import OperationCall, Resource
    from fyr.plugins.administrative.parts import Room

_GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
#: R4's Person does not say it; R5's does.
_DECEASED = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Person.deceased"


def match(room: Room) -> Operation:
    """Make the operation."""
    return Operation(
        "match",
        lambda call: _match(room, call),
        frozenset({"type"}),
        frozenset({"Person"}),
        documentation=(
            "Tells who has a CPR number: a patient here, by a link, or somebody whom"
            " the register of persons knows. A number of before leads to the same."
        ),
        parameters=(
            OperationParameter(
                "resource", "Person", 1, "1", documentation="With a CPR number."
            ),
            OperationParameter(
                "return",
                "Bundle",
                1,
                "1",
                "out",
                "A Person, or an OperationOutcome that says that there is none.",
            ),
        ),
    )


def _match(room: Room, call: OperationCall) -> Resource:
    person = call.value("resource")
    place = f"{call.place('resource')}.resource.identifier"
    number = number_in(person.get("identifier", ()), place)
    found = look_up(room, call.acting(), number)
    for patient in found.local:
        call.shows(patient)
    entries = [_entry(_person(one, linked=True)) for one in found.local]
    if not entries and found.registered is not None:
        entries = [_entry(_person(found.registered.patient, linked=False))]
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(entries),
        "entry": entries or [_nobody()],
    }


def _person(patient: Resource, *, linked: bool) -> Resource:
    """Tell of a Patient what a Person is to say, and no more."""
    person: Resource = {"resourceType": "Person"}
    if died := _deceased(patient):
        person["extension"] = [{"url": _DECEASED, **died}]
    for element in ("identifier", "name"):
        official = [one for one in patient.get(element, ()) if _is_official(one)]
        if official:
            person[element] = official
    if linked:
        target = {"reference": f"Patient/{patient['id']}"}
        person["link"] = [{"target": target, "assurance": "level4"}]
    return person


def _is_official(one: Resource) -> bool:
    return bool(one.get("use", "official") == "official")


def _deceased(patient: Resource) -> Resource:
    if when := patient.get("deceasedDateTime"):
        return {"valueDateTime": when}
    return {"valueBoolean": True} if patient.get("deceasedBoolean") else {}


def _entry(person: Resource) -> Resource:
    grade = {"url": _GRADE, "valueCode": "certain"}
    # FHIR's decimal keeps its digits: 1.0, as for any certain match.
    search = {"extension": [grade], "mode": "match", "score": 1.0}
    return {"resource": person, "search": search}


def _nobody() -> Resource:
    code = CODES["PERSON_WITH_THAT_CPR_NUMBER_DOES_NOT_EXIST"]
    issue = {"severity": "information", "code": "not-found", "diagnostics": code.text}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return {"resource": outcome, "search": {"mode": "outcome"}}
