"""Writes of what plans are made of that rules refuse."""

from __future__ import annotations

from typing import Any

from ..guide import CS, EHEALTH, ext
from ..spoiling import Body, concept, drop, put, to
from .writes import RULE, STAFF, Writes, also, more, role


def definition(kind: str, **more_: Any) -> Body:
    return {
        "resourceType": kind,
        "id": "1",
        "status": "draft",
        "extension": [role("owner")],
        **more_,
    }


def image(reference: str) -> Body:
    part = {"url": "content", "valueReference": to(reference)}
    return {
        "linkId": "1",
        "type": "string",
        "extension": [ext("questionnaire-image", extension=[part])],
    }


def picture(kind: str, size: int) -> Body:
    return {
        "resourceType": "Media",
        "id": "p",
        "status": "completed",
        "content": {"contentType": kind, "data": "A" * size},
    }


QUESTIONNAIRE = Writes(
    "questionnaire",
    definition("Questionnaire", item=[{"linkId": "1", "type": "string"}]),
    "update",
    STAFF,
    any={
        "of nobody": (
            drop("extension"),
            "QUESTIONNAIRE_CREATE_MODIFIER_ROLE_OWNER_MANDATORY",
        ),
        "with a film": (
            also(
                put("item", [image("#p")]),
                put("contained", [picture("video/mp4", 4)]),
            ),
            "QUESTIONNAIRE_IMAGE_FORMAT_VALIDATION_MESSAGE",
        ),
        "with too large a picture": (
            also(
                put("item", [image("#p")]),
                put("contained", [picture("image/png", 268_000)]),
            ),
            "QUESTIONNAIRE_IMAGE_SIZE_VALIDATION_MESSAGE",
        ),
    },
)


PLAN = Writes(
    "plan",
    definition("PlanDefinition"),
    "update",
    STAFF,
    any={
        "of nobody": (
            drop("extension"),
            "PLANDEFINITION_CREATE_MODIFIER_ROLE_OWNER_MANDATORY",
        ),
        "of nothing": (
            put("status", "active"),
            "PLANDEFINITION_VALIDATE_MANDATORY_ACTIVITYDEFINITION_OR_SUBPLAN_REFERENCE",
        ),
        "of what is not active": (
            also(
                put("status", "active"),
                put("action", [{"definitionCanonical": "ActivityDefinition/none"}]),
            ),
            "PLANDEFINITION_VALIDATE_ALL_REFERENCED_ACTIVITYDEFINITIONS_OR_SUBPLANS_SHOULD_BE_ACTIVE",
        ),
        "related to what is not in it": (
            also(
                put("status", "active"),
                put(
                    "action",
                    [
                        {
                            "definitionCanonical": "ActivityDefinition/active",
                            "relatedAction": [
                                {"actionId": "x", "relationship": "after"}
                            ],
                        }
                    ],
                ),
            ),
            "PLANDEFINITION_MISSING_RELATED_ACTION",
        ),
        "of a trigger that never fires": (
            also(
                put("status", "active"),
                put(
                    "action",
                    [
                        {
                            "definitionCanonical": "ActivityDefinition/active",
                            "extension": [ext("actionTrigger", extension=[])],
                        }
                    ],
                ),
                put(
                    "action",
                    0,
                    "extension",
                    0,
                    {"url": f"{EHEALTH}actionTrigger", "valueString": "x"},
                ),
            ),
            RULE,
        ),
    },
)


ACTIVITY = Writes(
    "plan",
    definition("ActivityDefinition"),
    "update",
    STAFF,
    any={
        "of nobody": (
            drop("extension"),
            "ACTIVITYDEFINITION_CREATE_MODIFIER_ROLE_OWNER_MANDATORY",
        ),
        "shared, and not said how": (
            put("code", concept("NPU03011")),
            "ACTIVITYDEFINITION_SHARINGAPPROVALPOLICY_NOT_SET",
        ),
        "not shared, and said how": (
            also(
                put("code", concept("TBD", f"{CS}activitydefinition-code")),
                more(
                    ext(
                        "sharingApprovalPolicy",
                        valueCodeableConcept=concept("manual", "urn:x"),
                    )
                ),
            ),
            "ACTIVITYDEFINITION_SHARINGAPPROVALPOLICY_NOT_ALLOWED",
        ),
    },
)


def published(kind: str, service: str, refused: str) -> Writes:
    """Make the writes of a definition that is in use: it stays what it is."""
    return Writes(
        service,
        {**definition(kind), "id": "active", "status": "active", "title": "Før"},
        "update",
        STAFF,
        is_created=False,
        any={
            "in use, of another title": (put("title", "Efter"), refused),
            "in use, and nobody's": (drop("extension"), refused),
        },
    )


LIBRARY = Writes(
    "library",
    {
        "resourceType": "Library",
        "id": "1",
        "status": "active",
        "type": concept("logic-library", "urn:x"),
        "extension": [role("owner")],
        "identifier": [{"system": "urn:x", "value": "1"}],
        "parameter": [{"use": "in", "type": "Observation"}],
    },
    "update",
    STAFF,
    any={
        "of nobody": (drop("extension"), RULE),
        "of two": (more(role("owner")), RULE),
        "of no parameter": (drop("parameter"), RULE),
    },
    changed={
        "of another identifier": (
            put("identifier", 0, "value", "2"),
            "LIBRARY_IDENTIFIER_UPDATE_RESTRICTED",
        ),
    },
)


GUIDANCE = Writes(
    "questionnaire",
    {
        "resourceType": "Basic",
        "id": "active",
        "code": concept("actionguidance", f"{CS}basic-resource-type"),
        "extension": [role("owner"), ext("status", valueCoding={"code": "active"})],
    },
    "update",
    STAFF,
    is_created=False,
    any={
        "in use, of another author": (
            put("author", to("Practitioner/1")),
            "ACTIONGUIDANCEVIEW_ILLEGAL_CHANGE_OF_ELEMENTS",
        ),
        "in use, a draft again": (
            put("extension", 1, ext("status", valueCoding={"code": "draft"})),
            "ACTIONGUIDANCEVIEW_ILLEGAL_STATUS_CHANGE",
        ),
    },
)
