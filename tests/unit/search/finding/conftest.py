"""Patients and others to find."""

from typing import Any

import pytest

PATIENTS: list[dict[str, Any]] = [
    {
        "resourceType": "Patient",
        "id": "anna",
        "meta": {
            "tag": [{"system": "http://tags", "code": "vip"}],
            "profile": ["http://profiles/citizen"],
            "source": "http://source/1",
        },
        "identifier": [{"system": "urn:oid:1", "value": "0101"}],
        "active": True,
        "name": [{"family": "Sørensen", "given": ["Anna", "Marie"]}],
        "gender": "female",
        "birthDate": "1980-05-02",
        "telecom": [{"system": "phone", "value": "1234"}],
        "managingOrganization": {"reference": "Organization/north"},
        "generalPractitioner": [
            {"identifier": {"system": "urn:yderid", "value": "77"}},
        ],
    },
    {
        "resourceType": "Patient",
        "id": "bo",
        "identifier": [{"value": "0101"}],
        "name": [{"family": "Müller", "given": ["Bo"]}],
        "gender": "male",
        "birthDate": "1980",
        "deceasedDateTime": "2020",
        "managingOrganization": {"reference": "http://far.example/Organization/north"},
    },
    {"resourceType": "Patient", "id": "cy", "name": [{"text": "Cy, the 2nd"}]},
]


OTHERS: list[dict[str, Any]] = [
    {"resourceType": "Organization", "id": "north", "name": "North"},
    {
        "resourceType": "Observation",
        "id": "weight",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": "Patient/anna"},
        "effectivePeriod": {"start": "2024-01-10T08:00:00Z"},
        "valueQuantity": {
            "value": 72.5,
            "unit": "kilo",
            "system": "http://unitsofmeasure.org",
            "code": "kg",
        },
    },
    {
        "resourceType": "Observation",
        "id": "height",
        "status": "preliminary",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8302-2"}]},
        "subject": {"reference": "Patient/bo"},
        "effectiveDateTime": "2024-01-05",
        "valueQuantity": {"value": 180, "comparator": ">", "unit": "cm"},
    },
    {
        "resourceType": "Encounter",
        "id": "visit",
        "status": "finished",
        "class": {"code": "AMB"},
        "subject": {"reference": "Patient/anna"},
    },
    {
        "resourceType": "RiskAssessment",
        "id": "risk",
        "status": "final",
        "subject": {"reference": "Patient/anna"},
        "prediction": [{"probabilityDecimal": 0.25}],
    },
    {
        "resourceType": "ValueSet",
        "id": "colours",
        "status": "active",
        "url": "http://vs/colours",
        "compose": {
            "include": [{"system": "http://c", "valueSet": ["http://vs/all|2.0"]}]
        },
    },
]


@pytest.fixture
def filled(library: Any) -> Any:
    library.put(*PATIENTS, *OTHERS, updated=1_700_000_000_000)
    return library
