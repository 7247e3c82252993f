"""Submissions of measurements that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..guide import CS, EHEALTH
from ..spoiling import Body, Spoil, bundle, concept, drop, of_episode, put, spoilt, to

REUSE = (
    "http://ehealth.sundhed.dk/policy/ehealth/reuse-of-measurement-chosen-by-citizen"
)


def measured(kind: str, **more: Any) -> Body:
    timing = [
        {"url": "serviceRequestVersionId", "valueId": "1"},
        {
            "url": "type",
            "valueCodeableConcept": concept("Adhoc", f"{CS}resolved-timing-type"),
        },
    ]
    extension = [
        of_episode(),
        {"url": f"{EHEALTH}resolved-timing", "extension": timing},
    ]
    return {
        "resourceType": kind,
        "extension": extension,
        "basedOn": [to("ServiceRequest/1")],
        "subject": to("Patient/1"),
        **more,
    }


OBSERVATION = measured(
    "Observation",
    status="final",
    code=concept("NPU03011"),
    effectiveDateTime="2026-01-08T08:30:00+01:00",
    performer=[to("Patient/1")],
    valueQuantity={
        "value": 97,
        "unit": "%",
        "system": "http://unitsofmeasure.org",
        "code": "%",
    },
)
RESPONSE = measured(
    "QuestionnaireResponse",
    status="completed",
    questionnaire="Questionnaire/1",
    authored="2026-01-08T08:30:00+01:00",
    source=to("Patient/1"),
    item=[{"linkId": "1", "answer": [{"valueInteger": 1}]}],
)
MEDIA = measured(
    "Media",
    status="completed",
    createdDateTime="2026-01-08T08:30:00+01:00",
    content={"contentType": "image/png", "data": "bm90aGluZw=="},
)
#: What the server gives to what was submitted.
_IDENTIFIER = {
    "system": "http://ehealth.sundhed.dk/id/ehealth-identifier",
    "value": "1",
}
IDENTIFIED: dict[str, Body] = {
    "Observation": {"identifier": [_IDENTIFIER]},
    "QuestionnaireResponse": {"identifier": _IDENTIFIER},
    "Media": {"identifier": [_IDENTIFIER]},
}
PROVENANCE: Body = {
    "resourceType": "Provenance",
    "target": [to("urn:uuid:0")],
    "recorded": "2026-01-08T08:30:00+01:00",
    "policy": [REUSE],
    "agent": [{"who": to("Patient/1")}],
    "entity": [{"role": "quotation", "what": to("Observation/none")}],
}


TAG = {"tag": [{"system": f"{CS}ehealth-system", "code": "xa"}]}
QUALITY = {
    "url": f"{EHEALTH}quality",
    "extension": [
        {
            "url": "qualityType",
            "valueCodeableConcept": concept("DMQ", f"{CS}quality-types"),
        },
        {"url": "qualityCode", "valueCodeableConcept": concept("normal")},
    ],
}
EMPTY_PERIOD = {
    "url": f"{EHEALTH}effectivePeriod",
    "valuePeriod": {"start": "2026-01-08"},
}
ANSWER = {"linkId": "2", "answer": [{"valueString": "a"}, {"valueString": "b"}]}
OF_OBSERVATION: dict[str, Spoil] = {
    "nobody's": drop("subject"),
    "of no episode": drop("extension", 0),
    "of an unknown episode": put("extension", 0, of_episode("EpisodeOfCare/none")),
    "of another episode": put("extension", 0, of_episode("EpisodeOfCare/2")),
    "another's": put("subject", to("Patient/2")),
    "preliminary": put("status", "preliminary"),
    "of no time": drop("effectiveDateTime"),
    "by nobody": drop("performer"),
    "without timing": drop("extension", 1),
    "of no version": put("extension", 1, "extension", 0, "valueId", "newest"),
    "for nothing": drop("basedOn"),
    "for what is not there": put("basedOn", 0, to("ServiceRequest/none")),
    "for what was revoked": put("basedOn", 0, to("ServiceRequest/2")),
    "of another code": put("code", concept("NPU03804")),
    "tagged": put("meta", TAG),
    "of two qualities": lambda one: one["extension"].extend([QUALITY, QUALITY]),
}
OF_RESPONSE: dict[str, Spoil] = {
    "not authored": drop("authored"),
    "of no source": drop("source"),
    "without answers": drop("item"),
    "of another type": put("item", 0, "answer", 0, {"valueString": "one"}),
    "answered twice": lambda one: one["item"].append(ANSWER),
    "not asked": put("item", 0, "linkId", "9"),
    "of another questionnaire": put("questionnaire", "Questionnaire/2"),
    "of a day": lambda one: one["extension"].append(EMPTY_PERIOD),
}
OF_PROVENANCE: dict[str, Spoil] = {
    "of what is not there": lambda one: None,
    "of another policy": put("policy", ["urn:x"]),
    "of another target": put("target", [to("urn:uuid:9")]),
    "of two targets": lambda one: one["target"].append(to("urn:uuid:9")),
    "of two entities": lambda one: one["entity"].append(one["entity"][0]),
}


def submissions() -> Iterator[tuple[str, Body]]:
    """Make Bundles that are refused, with what is wrong."""
    yield "empty", {"resourceType": "Bundle", "type": "transaction"}
    yield "of other things", bundle(OBSERVATION, {"resourceType": "Patient"})
    yield "of nothing measured", bundle({"resourceType": "Patient"})
    twins = bundle(OBSERVATION, OBSERVATION)
    twins["entry"][1]["fullUrl"] = "urn:uuid:0"
    yield "twins", twins
    yield "a picture that is none", bundle(MEDIA)
    for name, spoil in OF_OBSERVATION.items():
        yield f"observation {name}", bundle(OBSERVATION, spoilt(OBSERVATION, spoil))
    for name, spoil in OF_RESPONSE.items():
        yield f"answers {name}", bundle(OBSERVATION, spoilt(RESPONSE, spoil))
    for name, spoil in OF_PROVENANCE.items():
        yield f"reuse {name}", bundle(OBSERVATION, spoilt(PROVENANCE, spoil))
    yield "reuse told twice", bundle(OBSERVATION, PROVENANCE, PROVENANCE)
