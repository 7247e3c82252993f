"""Nine resources that refer to each other, as a small record has them."""

from typing import Any

_LOINC, _SNOMED = "http://loinc.org", "http://snomed.info/sct"


def _code(system: str, code: str, display: str) -> dict[str, Any]:
    return {
        "coding": [{"system": system, "code": code, "display": display}],
        "text": display,
    }


def _to(kind: str) -> dict[str, str]:
    """Refer to the resource of that type; :func:`body` fills in its id."""
    return {"reference": kind}


#: What is stored, in an order in which each refers to earlier ones only.
RESOURCES: dict[str, dict[str, Any]] = {
    "Organization": {
        "identifier": [{"system": "urn:oid:1.2.208.176.1.1", "value": "441000016001"}],
        "active": True,
        "name": "Aarhus Kommune, Sundhed og Omsorg",
        "telecom": [{"system": "phone", "value": "+45 8940 2000"}],
    },
    "Practitioner": {
        "identifier": [{"system": "urn:oid:1.2.208.176.1.3", "value": "0H6VL"}],
        "name": [{"family": "Holm", "given": ["Ellen"], "prefix": ["Dr."]}],
        "gender": "female",
    },
    "Patient": {
        "identifier": [{"system": "urn:oid:1.2.208.176.1.2", "value": "2512489996"}],
        "name": [{"use": "official", "family": "Berggren", "given": ["Nancy", "Ann"]}],
        "gender": "female",
        "birthDate": "1948-12-25",
        "address": [
            {"line": ["Testpark Allé 48"], "city": "Hillerød", "country": "DK"}
        ],
        "generalPractitioner": [_to("Practitioner")],
        "managingOrganization": _to("Organization"),
    },
    "Encounter": {
        "status": "in-progress",
        "class": {
            "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "code": "HH",
        },
        "subject": _to("Patient"),
        "participant": [{"individual": _to("Practitioner")}],
        "period": {"start": "2026-03-02T08:30:00+01:00"},
        "serviceProvider": _to("Organization"),
    },
    "Condition": {
        "clinicalStatus": _code(
            "http://terminology.hl7.org/CodeSystem/condition-clinical",
            "active",
            "Active",
        ),
        "code": _code(_SNOMED, "13645005", "Chronic obstructive lung disease"),
        "subject": _to("Patient"),
        "encounter": _to("Encounter"),
        "onsetDateTime": "2019-05-01",
        "recordedDate": "2026-03-02T08:40:00+01:00",
    },
    "Observation": {
        "status": "preliminary",
        "code": _code(_LOINC, "59408-5", "Oxygen saturation"),
        "subject": _to("Patient"),
        "encounter": _to("Encounter"),
        "effectiveDateTime": "2026-03-02T08:45:00+01:00",
        "performer": [_to("Practitioner")],
        "valueQuantity": {
            "value": 93,
            "unit": "%",
            "system": "http://unitsofmeasure.org",
            "code": "%",
        },
    },
    "MedicationRequest": {
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": _code(_SNOMED, "372897005", "Salbutamol"),
        "subject": _to("Patient"),
        "encounter": _to("Encounter"),
        "authoredOn": "2026-03-02T08:50:00+01:00",
        "requester": _to("Practitioner"),
        "reasonReference": [_to("Condition")],
    },
    "Procedure": {
        "status": "preparation",
        "code": _code(_SNOMED, "127783003", "Spirometry"),
        "subject": _to("Patient"),
        "encounter": _to("Encounter"),
        "performedDateTime": "2026-03-02T09:00:00+01:00",
        "reasonReference": [_to("Condition")],
    },
    "DiagnosticReport": {
        "status": "preliminary",
        "code": _code(_LOINC, "81459-0", "Spirometry panel"),
        "subject": _to("Patient"),
        "encounter": _to("Encounter"),
        "effectiveDateTime": "2026-03-02T09:10:00+01:00",
        "performer": [_to("Organization")],
        "result": [_to("Observation")],
    },
}
#: What an update changes.
CHANGES: dict[str, dict[str, Any]] = {
    "Organization": {"name": "Aarhus Kommune, Sundhed"},
    "Practitioner": {"active": True},
    "Patient": {"telecom": [{"system": "phone", "value": "+45 2512 4899"}]},
    "Encounter": {"status": "finished"},
    "Condition": {"recordedDate": "2026-03-03T08:40:00+01:00"},
    "Observation": {"status": "final"},
    "MedicationRequest": {"status": "active"},
    "Procedure": {"status": "completed"},
    "DiagnosticReport": {"status": "final"},
}


def body(kind: str, ids: dict[str, str], *, changed: bool = False) -> dict[str, Any]:
    """Make a resource that refers to those with the given ids, by type."""
    made: dict[str, Any] = {"resourceType": kind, **_filled(RESOURCES[kind], ids)}
    return made | {**CHANGES[kind], "id": ids[kind]} if changed else made


def _filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"reference"}:
            return {"reference": f"{value['reference']}/{ids[value['reference']]}"}
        return {name: _filled(inner, ids) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, ids) for inner in value]
    return value
