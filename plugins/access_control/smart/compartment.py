"""What belongs to the launch patient: the Patient compartment, and what is nobody's.

https://hl7.org/fhir/R4/compartmentdefinition-patient.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fyr.search.understanding.compartments import compartment

if TYPE_CHECKING:
    from fyr.core import Look, Resource, Subject

#: Types that tell nothing of a patient, and that resources of one refer to.
COMMON = frozenset(
    "ActivityDefinition CodeSystem ConceptMap Endpoint HealthcareService Library Location"
    " Medication NamingSystem Organization PlanDefinition Practitioner PractitionerRole"
    " Questionnaire SearchParameter StructureDefinition Substance ValueSet".split()
)
#: Uses in which the index knows exactly this version.
_INDEXED = frozenset({"read", "include", "old", "new", "delete"})


def belongs(subject: Subject, use: str, patient: str, look: Look) -> bool:
    """Tell whether a version is in the compartment of a patient (``Patient/1``).

    Of an old version the index knows nothing; it counts when all patients that it names
    are this one. The newest version is judged as well, by its own.
    """
    if f"{subject.type}/{subject.id}" == patient:
        return True
    if subject.type == "Binary":
        return _binary_belongs(subject.resource, patient, look)
    if subject.type not in compartment("Patient").types:
        return False
    # What is kept by a plugin has no version, and is in no index.
    if use in _INDEXED and subject.version:
        return in_compartment(subject.type, subject.id, patient, look)
    return set(patients_in(subject.resource)) == {patient}


def in_compartment(kind: str, identity: str, patient: str, look: Look) -> bool:
    """Tell whether the index knows a resource as the patient's."""
    names = compartment("Patient").types.get(kind, ())
    return any(look.search(kind, _id=identity, **{name: patient}) for name in names)


def patients_in(node: Any) -> Iterator[str]:
    """Go through the references to patients, without their versions."""
    if isinstance(node, list):
        for one in node:
            yield from patients_in(one)
    elif isinstance(node, dict):
        reference = node.get("reference")
        if isinstance(reference, str) and reference.startswith("Patient/"):
            yield reference.partition("/_history/")[0]
        for one in node.values():
            yield from patients_in(one)


def _binary_belongs(binary: Resource, patient: str, look: Look) -> bool:
    """A Binary is whose its security context is: https://hl7.org/fhir/R4/binary.html."""
    context = binary.get("securityContext", {}).get("reference", "")
    kind, _, identity = context.partition("/")
    return context == patient or (
        kind in compartment("Patient").types
        and in_compartment(kind, identity, patient, look)
    )
