"""Builds ``core/store/bodies.1.zdict``, the dictionary that stored bodies are packed with.

    python tools/build_body_dictionary.py hl7.fhir.r4.examples-4.0.1.tgz [FILE]

Trained from the examples of FHIR R4 (the package is CC0), with and without narrative,
and from made-up resources of the types that records are full of, all as the server
stores them. Run again with the same zstandard, it writes the same bytes; but the bodies
of a store need the dictionary that they were packed with, so that a better one is a
file with the next number, and this one stays.
"""

import json
import random
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

from fyr.core.interactions.stamp import with_id, with_meta
from fyr.core.model.json import dump

TARGET = Path(__file__).parent.parent / "core" / "store" / "bodies.1.zdict"
#: One of 112 kB saves 3 % more, one of 32 kB 7 % less.
BYTES = 64 * 1024
#: Longer ones carry what is said once in them, and pack well without any help.
LONGEST = 16_000
#: So many of a type, as most of the package are definitions.
OF_A_TYPE = 25
MADE_UP = 200
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"

Json = dict[str, Any]


def main(package: str, target: str = str(TARGET)) -> None:
    """Train the dictionary and write it."""
    chance = random.Random(4)
    samples = [
        body
        for resource in [*examples(package), *made_up(chance)]
        if len(body := as_stored(resource, chance)) <= LONGEST
    ]
    # What stands late in the dictionary is cheaper to point at: no type shall be there.
    chance.shuffle(samples)
    trained = zstandard.train_dictionary(BYTES, samples, level=3, dict_id=1, threads=0)
    Path(target).write_bytes(trained.as_bytes())
    print(f"{target}: {len(samples)} samples, {sum(map(len, samples))} bytes")


def as_stored(resource: Json, chance: random.Random) -> bytes:
    """Write a resource as the server does that has given it an id and a version."""
    identity = "01K" + "".join(chance.choices(DIGITS, k=23))
    number = chance.choice([1, 1, 1, 2, 3])
    moment = chance.randrange(1_750_000_000_000, 1_900_000_000_000)
    return dump(with_meta(with_id(resource, identity), number, moment))


def examples(package: str) -> Iterator[Json]:
    """Give the examples, and each without its narrative."""
    counts: dict[str, int] = {}
    with tarfile.open(package) as archive:
        for member in sorted(archive.getmembers(), key=lambda one: one.name):
            file = archive.extractfile(member)
            if file is None or not member.name.endswith(".json"):
                continue
            resource = json.load(file)
            kind = resource.get("resourceType", "Bundle")
            counts[kind] = counts.get(kind, 0) + 1
            if kind == "Bundle" or counts[kind] > OF_A_TYPE:
                continue
            yield resource
            yield {name: value for name, value in resource.items() if name != "text"}


def made_up(chance: random.Random) -> Iterator[Json]:
    """Give resources such as systems send them: short, coded, about one patient."""
    for _ in range(MADE_UP):
        yield patient(chance)
        yield encounter(chance)
        yield condition(chance)
        yield medication_request(chance)
        yield service_request(chance)
        yield observation(chance, *chance.choice(VITALS), "vital-signs")
        yield observation(chance, *chance.choice(LABORATORY), "laboratory")


#: LOINC code, its name, unit
VITALS = [
    ("8867-4", "Heart rate", "/min"),
    ("9279-1", "Respiratory rate", "/min"),
    ("8310-5", "Body temperature", "Cel"),
    ("29463-7", "Body weight", "kg"),
    ("8302-2", "Body height", "cm"),
    ("39156-5", "Body mass index (BMI) [Ratio]", "kg/m2"),
    ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry", "%"),
    ("8480-6", "Systolic blood pressure", "mm[Hg]"),
    ("8462-4", "Diastolic blood pressure", "mm[Hg]"),
]
LABORATORY = [
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL"),
    ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL"),
    ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL"),
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L"),
    ("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L"),
    ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "%"),
]


def observation(
    chance: random.Random, code: str, name: str, unit: str, category: str
) -> Json:
    """Make a measured value."""
    return {
        "resourceType": "Observation",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": uuid(chance)}],
        "status": "final",
        "category": [
            concept(
                f"{TERMINOLOGY}observation-category",
                category,
                category.replace("-", " ").title(),
            )
        ],
        "code": {**concept("http://loinc.org", code, name), "text": name},
        "subject": reference(chance, "Patient"),
        "encounter": reference(chance, "Encounter"),
        "effectiveDateTime": moment(chance),
        "issued": moment(chance),
        "performer": [reference(chance, "Practitioner")],
        "valueQuantity": {
            "value": chance.randrange(10, 2000) / 10,
            "unit": unit,
            "system": "http://unitsofmeasure.org",
            "code": unit,
        },
        "interpretation": [
            concept(f"{TERMINOLOGY}v3-ObservationInterpretation", "N", "Normal")
        ],
    }


def patient(chance: random.Random) -> Json:
    """Make a person."""
    number = str(chance.randrange(10**9, 10**10))
    return {
        "resourceType": "Patient",
        "identifier": [
            {"use": "official", "system": f"urn:oid:1.2.{number[:3]}", "value": number}
        ],
        "active": True,
        "name": [{"use": "official", "family": word(chance), "given": [word(chance)]}],
        "telecom": [
            {"system": "phone", "value": f"+{number}", "use": "mobile"},
            {"system": "email", "value": f"{word(chance)}@example.org"},
        ],
        "gender": chance.choice(["female", "male"]),
        "birthDate": moment(chance)[:10],
        "address": [
            {
                "use": "home",
                "line": [f"{word(chance)} {chance.randrange(300)}"],
                "city": word(chance),
                "postalCode": number[:4],
                "country": "DK",
            }
        ],
        "generalPractitioner": [reference(chance, "Practitioner")],
        "managingOrganization": reference(chance, "Organization"),
    }


def encounter(chance: random.Random) -> Json:
    """Make a visit."""
    return {
        "resourceType": "Encounter",
        "status": chance.choice(["planned", "in-progress", "finished"]),
        "class": {
            "system": f"{TERMINOLOGY}v3-ActCode",
            "code": "AMB",
            "display": "ambulatory",
        },
        "subject": reference(chance, "Patient"),
        "participant": [{"individual": reference(chance, "Practitioner")}],
        "period": {"start": moment(chance), "end": moment(chance)},
        "location": [{"location": reference(chance, "Location")}],
        "serviceProvider": reference(chance, "Organization"),
    }


def condition(chance: random.Random) -> Json:
    """Make a diagnosis."""
    return {
        "resourceType": "Condition",
        "clinicalStatus": concept(f"{TERMINOLOGY}condition-clinical", "active"),
        "verificationStatus": concept(
            f"{TERMINOLOGY}condition-ver-status", "confirmed"
        ),
        "category": [
            concept(f"{TERMINOLOGY}condition-category", "encounter-diagnosis")
        ],
        "code": concept("http://snomed.info/sct", number(chance), word(chance)),
        "subject": reference(chance, "Patient"),
        "encounter": reference(chance, "Encounter"),
        "onsetDateTime": moment(chance),
        "recordedDate": moment(chance),
    }


def medication_request(chance: random.Random) -> Json:
    """Make a prescription."""
    return {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept(
            "http://www.whocc.no/atc", f"N{number(chance)[:2]}BE01", word(chance)
        ),
        "subject": reference(chance, "Patient"),
        "encounter": reference(chance, "Encounter"),
        "authoredOn": moment(chance),
        "requester": reference(chance, "Practitioner"),
        "dosageInstruction": [
            {
                "text": f"{word(chance)} daily",
                "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
            }
        ],
    }


def service_request(chance: random.Random) -> Json:
    """Make an order."""
    return {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "priority": "routine",
        "code": concept("http://snomed.info/sct", number(chance), word(chance)),
        "subject": reference(chance, "Patient"),
        "encounter": reference(chance, "Encounter"),
        "occurrenceDateTime": moment(chance),
        "authoredOn": moment(chance),
        "requester": reference(chance, "PractitionerRole"),
        "performer": [reference(chance, "Organization")],
    }


def concept(system: str, code: str, display: str = "") -> Json:
    """Make a CodeableConcept of one coding."""
    coding = {"system": system, "code": code}
    return {"coding": [{**coding, "display": display} if display else coding]}


def reference(chance: random.Random, kind: str) -> Json:
    """Make a reference to an id of one of three forms."""
    forms = [number(chance), uuid(chance), "01K" + "".join(chance.choices(DIGITS, k=9))]
    return {"reference": f"{kind}/{chance.choice(forms)}"}


def moment(chance: random.Random) -> str:
    """Make a dateTime of these years."""
    day = f"20{chance.randrange(18, 32)}-{chance.randrange(1, 13):02}"
    zone = chance.choice(["Z", "+00:00", "+01:00", "+02:00"])
    hours, minutes = chance.randrange(24), chance.randrange(60)
    return f"{day}-{chance.randrange(1, 29):02}T{hours:02}:{minutes:02}:00{zone}"


def number(chance: random.Random) -> str:
    """Make some digits."""
    return str(chance.randrange(10**5, 10**8))


def uuid(chance: random.Random) -> str:
    """Make a UUID."""
    digits = f"{chance.getrandbits(128):032x}"
    return "-".join(
        [digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]]
    )


def word(chance: random.Random) -> str:
    """Make what nothing else repeats."""
    return "".join(chance.choices("abcdefghiklmnoprstuvæøå", k=7)).title()


if __name__ == "__main__":
    main(*sys.argv[1:])
