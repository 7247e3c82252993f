"""What orders say of measurements that are used again."""

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
TARGET = "urn:uuid:1d7f7c5e-3a04-4a59-8b0e-7d7f6f6d3c11"
SYSTEM = "http://ehealth.sundhed.dk/cs/"


def criteria(make, allowed=True, unit="h", value=1, **qualities):
    """Make the reuse criteria of an order."""
    systems = {
        "situationQuality": "situation-quality",
        "usageQuality": "usage-quality",
        "deviceMeasuringQuality": "device-measuring-quality",
    }
    parts = [
        {"url": "allowed", "valueBoolean": allowed},
        {
            "url": "dataActuality",
            "valueDuration": {
                "value": value,
                "code": unit,
                "system": "http://unitsofmeasure.org",
            },
        },
    ]
    parts += [
        {
            "url": name,
            "valueCodeableConcept": make.concept(SYSTEM + systems[name], code),
        }
        for name, code in qualities.items()
    ]
    return {"url": f"{EHEALTH}reuseCriteria", "extension": parts}
