"""What the author writes: rules, a questionnaire, activities and a plan for COPD."""

from __future__ import annotations

import base64
import json
from copy import deepcopy
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fyr.plugins.demo.resources import (
    CS,
    EHEALTH,
    MEDCOM,
    PHOTO,
    WORDS,
    concept,
    ext,
    owner,
    profiled,
    quantity,
)

if TYPE_CHECKING:
    from fyr.core import Resource


def library(owned_by: str) -> Resource:
    """Write the rules: alarm ranges and the significance of answers decide."""
    source = {
        "language": "fyr-rules/1",
        "triage": ["reference-ranges", "answer-significance"],
    }
    data = base64.b64encode(json.dumps(source).encode()).decode()
    return profiled(
        "Library",
        "library",
        extension=[owner(owned_by), ext("revision", valueString="1")],
        name="copd-triage",
        version="1",
        status="active",
        type=concept("automated-processing", CS + "library-type"),
        parameter=[{"use": "out", "min": 0, "max": "*", "type": "ClinicalImpression"}],
        content=[{"contentType": "application/fyr-rules+json", "data": data}],
    )


def questionnaire(owned_by: str) -> Resource:
    """Write two questions; much phlegm is a red answer."""
    red = ext(
        "questionnaire-answerSignificance",
        extension=[
            {
                "url": f"{EHEALTH}answer-Condition",
                "extension": [
                    {"url": "value", "valueInteger": 3},
                    {"url": "operator", "valueCode": ">"},
                ],
            },
            {
                "url": "significance",
                "valueCoding": {
                    "system": CS + "questionnaire-item-significance-indicator",
                    "code": "red",
                },
            },
        ],
    )
    return profiled(
        "Questionnaire",
        "questionnaire",
        extension=[owner(owned_by)],
        version="1",
        name="copd-weekly",
        title="Din uge med KOL",
        status="active",
        item=[
            {
                "linkId": "phlegm",
                "type": "integer",
                "text": "Hvor meget slim har du haft, fra 0 til 5?",
                "required": True,
                "extension": [red],
            },
            {
                "linkId": "sleep",
                "type": "integer",
                "text": "Hvor mange nætter sov du godt?",
            },
        ],
    )


def alarm(code: str, unit: str, **ends: float) -> dict[str, Any]:
    """Write a reference range: RAL alarms red, GAL yellow."""
    parts: list[dict[str, Any]] = [
        {"url": name, "valueQuantity": quantity(value, unit)}
        for name, value in ends.items()
    ]
    kind = {"url": "type", "valueCodeableConcept": concept(code, MEDCOM)}
    return ext("referenceRange", extension=[*parts, kind])


def activity(
    owned_by: str, name: str, code: str, system: str, rules: str = "", **more: Any
) -> Resource:
    """Write what citizens are to do, and by which rules it is triaged."""
    extra = more.pop("extension", ())
    reuse = ext(
        "reuseCriteria",
        extension=[
            {"url": "allowed", "valueBoolean": True},
            {"url": "dataActuality", "valueDuration": quantity(24, "h")},
        ],
    )
    policy = ext(
        "sharingPolicy",
        valueCodeableConcept=concept("noSharing", CS + "measurement-sharing-policies"),
    )
    approval = ext(
        "sharingApprovalPolicy",
        valueCodeableConcept=concept(
            "manual", CS + "measurement-sharing-approval-policies"
        ),
    )
    return profiled(
        "ActivityDefinition",
        "activitydefinition",
        extension=[
            owner(owned_by),
            reuse,
            policy,
            # Nobody approves of sharing what is no measurement by numbers or answers.
            *([approval] if code != PHOTO else ()),
            *extra,
        ],
        name=name,
        version="1",
        status="active",
        topic=[concept("TBD", CS + "topic-type")],
        code={**concept(code, system), "text": WORDS[code]},
        library=[rules] if rules else None,
        **more,
    )


def plan(owned_by: str, activities: dict[str, str], count: int) -> Resource:
    """Write the plan; the pulse is measured once saturation was submitted often enough.

    :param count: how often.
    """
    trigger = ext(
        "actionTrigger",
        extension=[
            {
                "url": f"{EHEALTH}triggerCondition",
                "extension": [
                    {"url": "actionId", "valueId": "saturation"},
                    {"url": "count", "valueInteger": count},
                ],
            },
            {"url": "triggerBehavior", "valueCode": "all"},
            {"url": "action", "valueCoding": {"code": "status-on-hold-to-active"}},
        ],
    )
    actions = [
        {
            "id": name,
            "definitionCanonical": url,
            **({"extension": [trigger]} if name == "pulse" else {}),
        }
        for name, url in activities.items()
    ]
    return profiled(
        "PlanDefinition",
        "plandefinition",
        extension=[owner(owned_by)],
        name="copd",
        title="KOL: mål derhjemme",
        version="1",
        status="active",
        action=actions,
    )


def with_count(plan: Resource, count: int) -> Resource:
    """Have the pulse of a plan wait for another number of submissions."""
    mended = deepcopy(plan)
    triggers = [
        one
        for action in mended["action"]
        for one in action.get("extension", ())
        if one["url"].endswith("actionTrigger")
    ]
    for part in triggers[0]["extension"][0]["extension"]:
        if part["url"] == "count":
            part["valueInteger"] = count
    return mended


def timing(start: datetime, **repeat: Any) -> dict[str, Any]:
    """Write when something is to be done, from a moment on."""
    return {
        "repeat": {
            "boundsPeriod": {"start": start.isoformat()},
            "frequency": 1,
            "period": 1,
            "periodUnit": "d",
            "duration": 2,
            "durationUnit": "h",
            **repeat,
        }
    }
