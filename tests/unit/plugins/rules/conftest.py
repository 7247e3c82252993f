"""Measurements, activities and libraries as the rules are given them."""

import base64
import json
from datetime import UTC, datetime

from fyr.core import RuleInput, RuleLimits
from fyr.plugins.rules import evaluate_rules
from fyr.plugins.rules.language import CONTENT_TYPE

EXTENSION = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
MEDCOM = "urn:oid:1.2.208.184.100.1"
NPU = "urn:oid:1.2.208.176.2.1"
RELATIVE = "http://ehealth.sundhed.dk/cs/reference-range-type"
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def library(source, *, data=None):
    """Make a library of a source, or of ready ``data``."""
    if data is None:
        plain = source if isinstance(source, str) else json.dumps(source)
        data = base64.b64encode(plain.encode("utf-8", "surrogatepass")).decode()
    return {
        "resourceType": "Library",
        "id": "1",
        "content": [{"contentType": CONTENT_TYPE, "data": data}],
    }


def rules(**members):
    return {"language": "fyr-rules/1", **members}


def saturation(number, *, id="1", unit="%", **more):
    return {
        "resourceType": "Observation",
        "id": id,
        "status": "final",
        "code": {"coding": [{"system": NPU, "code": "NPU03011"}]},
        "effectiveDateTime": "2026-03-02T07:30:00+01:00",
        "valueQuantity": {"value": number, "code": unit},
        **more,
    }


def alarm(kind, low=None, high=None, *, code=None, unit="%"):
    system = RELATIVE if kind.startswith("REL") else MEDCOM
    coding = [{"system": system, "code": kind}]
    if code:
        coding.append({"system": NPU, "code": code})
    ends = [
        {"url": name, "valueQuantity": {"value": end, "code": unit}}
        for name, end in (("low", low), ("high", high))
        if end is not None
    ]
    kind = {"url": "type", "valueCodeableConcept": {"coding": coding}}
    return {"url": f"{EXTENSION}referenceRange", "extension": [*ends, kind]}


def activity(*extensions):
    return {"resourceType": "ServiceRequest", "id": "7", "extension": list(extensions)}


def goal(number, *, start="2026-01-01", activity="ServiceRequest/7", **target):
    return {
        "resourceType": "Goal",
        "id": "3",
        "lifecycleStatus": "active",
        "description": {
            "coding": [
                {
                    "system": "http://ehealth.sundhed.dk/cs/goal-description",
                    "code": "reference-value",
                }
            ]
        },
        "startDate": start,
        "addresses": [{"reference": activity}],
        "target": [
            {
                "measure": {"coding": [{"system": NPU, "code": "NPU03011"}]},
                "detailQuantity": {"value": number, "code": "%"},
                **target,
            }
        ],
    }


def asked(*measurements, **more):
    return RuleInput(list(measurements), NOW, **more)


def run(source, *measurements, limits=None, **more):
    return evaluate_rules(
        library(source), asked(*measurements, **more), limits or RuleLimits()
    )


def codes(outcome):
    """Tell the first code of each finding."""
    return [one.code["coding"][0]["code"] for one in outcome.findings]


def problems(outcome):
    return [(one.kind, one.code) for one in outcome.problems]


def tasks(outcome):
    """Tell category and priority of each task."""
    return [
        (
            one["extension"][0]["valueCodeableConcept"]["coding"][0]["code"],
            one["priority"],
        )
        for one in outcome.resources
        if one["resourceType"] == "Task"
    ]
