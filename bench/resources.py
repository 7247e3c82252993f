"""Bodies to write: made up, seeded, about a kilobyte each, as clinical systems send them."""

import json
import random
from collections.abc import Mapping

_FAMILIES = (
    "Sørensen Østergaard Ågård Nielsen Jensen Hansen Møller Kjær Lund Holm".split()
)
_GIVEN = "Anna Emma Freja Ida Karl Lucas Noah Oscar Søren Åse Ellen Aksel".split()
_VITALS = (
    ("8867-4", "Heart rate", "/min", 40, 120),
    ("9279-1", "Respiratory rate", "/min", 8, 30),
    ("8310-5", "Body temperature", "Cel", 35, 41),
    ("29463-7", "Body weight", "kg", 40, 140),
    ("59408-5", "Oxygen saturation", "%", 80, 100),
)


def patient(chance: random.Random) -> dict[str, object]:
    """Make a Patient with names, identifiers, an address and contact points."""
    family, given = chance.choice(_FAMILIES), chance.choice(_GIVEN)
    number = f"{chance.randrange(10**10):010d}"
    return {
        "resourceType": "Patient",
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{given} {family}</div>',
        },
        "identifier": [
            {"use": "official", "system": "urn:oid:1.2.208.176.1.2", "value": number}
        ],
        "active": True,
        "name": [
            {
                "use": "official",
                "family": family,
                "given": [given, chance.choice(_GIVEN)],
            }
        ],
        "telecom": [
            {
                "system": "phone",
                "value": f"+45 {chance.randrange(10**7, 10**8)}",
                "use": "mobile",
            },
            {"system": "email", "value": f"{given}.{number}@example.org".lower()},
        ],
        "gender": chance.choice(["female", "male"]),
        "birthDate": f"{chance.randrange(1930, 2015)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}",
        "address": [
            {
                "line": [f"Strandvejen {chance.randrange(1, 400)}"],
                "city": chance.choice(["Aarhus", "Odense", "Aalborg", "København"]),
                "postalCode": str(chance.randrange(1000, 9990)),
                "country": "DK",
            }
        ],
        "managingOrganization": {
            "reference": f"Organization/{chance.randrange(1, 100)}"
        },
    }


def observation(chance: random.Random, subject: str) -> dict[str, object]:
    """Make a vital-sign Observation about ``subject`` (a relative reference)."""
    code, display, unit, low, high = chance.choice(_VITALS)
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "vital-signs",
                        "display": "Vital Signs",
                    }
                ]
            }
        ],
        "code": {
            "coding": [
                {"system": "http://loinc.org", "code": code, "display": display}
            ],
            "text": display,
        },
        "subject": {"reference": subject},
        "encounter": {"reference": f"Encounter/{chance.randrange(10**6)}"},
        "effectiveDateTime": f"20{chance.randrange(10, 26)}-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}T{chance.randrange(24):02d}:{chance.randrange(60):02d}:00+01:00",
        "performer": [{"reference": f"Practitioner/{chance.randrange(1, 500)}"}],
        "valueQuantity": {
            "value": round(chance.uniform(low, high), 1),
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
        "device": {"reference": f"Device/{chance.randrange(10**5)}"},
    }


def encode(resource: Mapping[str, object]) -> bytes:
    """Write a resource as compact JSON."""
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()
