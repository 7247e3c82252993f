"""Writes of tasks, impressions and messages that rules refuse."""

from __future__ import annotations

from ..guide import CS, EHEALTH, ext
from ..spoiling import Body, concept, drop, of_episode, put, to
from .writes import (
    CITIZEN,
    NURSE,
    RULE,
    SOON,
    STAFF,
    Writes,
    also,
    more,
    of_category,
    of_team,
    restricted,
    without,
)

TASK = Writes(
    "task",
    {
        "resourceType": "Task",
        "id": "1",
        "meta": {"profile": [f"{EHEALTH}task"]},
        "status": "requested",
        "intent": "order",
        "for": to("Patient/1"),
        "extension": [
            ext("task-episodeOfCare", valueReference=to("EpisodeOfCare/1")),
            of_category("MeasurementForAssessment"),
            of_team("task-responsible"),
            restricted("measurement-monitoring"),
        ],
    },
    "patch",
    STAFF,
    any={
        "of no category": (without("task-category"), RULE),
        "of two categories": (more(of_category("RefRangeNeeded")), RULE),
        "of nobody": (without("task-responsible"), RULE),
        "not restricted": (without("restriction-category"), RULE),
        "restricted and not": (
            more(restricted("None")),
            "TASK_RESTRICTION_CATEGORY_NONE_CANT_BE_COMBINED",
        ),
        "for another": (put("for", to("Patient/2")), "TASK_FOR_NOT_SET"),
        "for nobody": (drop("for"), "TASK_FOR_NOT_SET"),
        "a handover of nothing": (
            also(without("task-category"), more(of_category("HandoverNegotiation"))),
            RULE,
        ),
        "a handover to others": (
            also(
                without("task-category"),
                more(of_category("HandoverNegotiation")),
                put("focus", to("CarePlan/1")),
                put(
                    "input",
                    [
                        {
                            "type": concept(
                                "inviting-entity", f"{CS}task-handover-roles"
                            ),
                            "valueReference": to("CareTeam/2"),
                        }
                    ],
                ),
            ),
            RULE,
        ),
    },
)


IMPRESSION = Writes(
    "task",
    {
        "resourceType": "ClinicalImpression",
        "id": "1",
        "meta": {"profile": [f"{EHEALTH}clinicalimpression"]},
        "status": "completed",
        "code": concept("TriagingResult", f"{CS}clinicalimpression-codes"),
        "subject": to("Patient/1"),
        "extension": [
            of_episode(),
            ext("clinicalimpression-careplan", valueReference=to("CarePlan/1")),
        ],
        "investigation": [
            {
                "code": concept("item", "urn:x"),
                "item": [to("Observation/1/_history/1"), to("Observation/1")],
            }
        ],
    },
    "patch",
    STAFF,
    any={
        "of validity": (
            put(
                "finding",
                [
                    {
                        "itemCodeableConcept": concept(
                            "measurement-invalidated",
                            f"{CS}clinicalimpression-finding-codes",
                        )
                    }
                ],
            ),
            "CLINICAL_IMPRESSION_VALIDATION_STATE_FINDING_CODE_NOT_ALLOWED"
            " CLINICAL_IMPRESSION_MEASUREMENT_VALIDITY_UPDATED_CODE_REQUIRED",
        ),
        "of no version": (
            put("investigation", 0, "item", [to("Observation/1")]),
            "TASK_INVESTIGATION_ITEM_REFERENCES_MUST_HAVE_VERSION_AND_VERSIONLESS",
        ),
        "of no plan": (without("clinicalimpression-careplan"), RULE),
        "of views that it does not name": (
            put("code", concept("approved-view", f"{CS}clinicalimpression-codes")),
            RULE,
        ),
    },
)


def message_category(code: str) -> Body:
    return concept(code, f"{CS}message-category")


MESSAGE = Writes(
    "patient",
    {
        "resourceType": "Communication",
        "id": "1",
        "meta": {"profile": [f"{EHEALTH}message"]},
        "status": "preparation",
        "category": [message_category("message")],
        "sender": to("Patient/1"),
        "payload": [{"contentString": "Jeg har målt igen."}],
        "extension": [of_team("communication-recipientCareTeam")],
    },
    "patch",
    (NURSE, CITIZEN),
    any={
        "by nobody": (
            drop("sender"),
            "COMMUNICATION_EXACTLY_ONE_SENDER_OR_CARE_TEAM_SENDER_MUST_BE_SUPPLIED",
        ),
        "by two": (
            more(of_team("communication-senderCareTeam")),
            "COMMUNICATION_EXACTLY_ONE_SENDER_OR_CARE_TEAM_SENDER_MUST_BE_SUPPLIED",
        ),
        "to nobody": (
            without("communication-recipientCareTeam"),
            "COMMUNICATION_EXACTLY_ONE_RECIPIENT_OR_CARE_TEAM_RECIPIENT_MUST_BE_SUPPLIED",
        ),
        "sent already": (
            put("sent", SOON),
            "COMMUNICATION_SENT_PROP_CANNOT_BE_SET_BY_CLIENT",
        ),
        "received already": (
            put("received", SOON),
            "COMMUNICATION_ONLY_STATUS_COMPLETED_CAN_BE_MARKED_AS_RECEIVED",
        ),
        "read already": (
            more(
                ext(
                    "administrative-status",
                    valueCoding={
                        "system": f"{CS}administrative-status",
                        "code": "read",
                    },
                )
            ),
            "COMMUNICATION_ONLY_STATUS_COMPLETED_CAN_HAVE_ADMINISTRATIVE_STATUS_OTHER_THAN_ACTIVATE",
        ),
        "by text to a team": (
            put("medium", [concept("nemsms", f"{CS}message-medium")]),
            "COMMUNICATION_MEDIUM_EBOKS_OR_NEMSMS_REQUIRES_PATIENT_RECIPIENT",
        ),
        "by text to who takes none": (
            also(
                put("medium", [concept("nemsms", f"{CS}message-medium")]),
                without("communication-recipientCareTeam"),
                more(of_team("communication-senderCareTeam")),
                drop("sender"),
                put("recipient", [to("Patient/1")]),
            ),
            "COMMUNICATION_PATIENT_NEMSMS_NOT_ALLOWED",
        ),
        "of a text that is too long": (
            also(
                put("medium", [concept("nemsms", f"{CS}message-medium")]),
                put("payload", [{"contentString": "a" * 161}]),
            ),
            RULE,
        ),
        "of what is missing": (
            put("reasonCode", [concept("MissingMeasurementResolving", "urn:x")]),
            "COMMUNICATION_EXACTLY_ONE_CAREPLAN_MUST_BE_SUPPLIED_WHEN_REASON_CODE_MISSING_MEASUREMENT_RESOLVING",
        ),
        "of a citizen to a citizen": (
            also(
                without("communication-recipientCareTeam"),
                put("recipient", [to("Patient/2")]),
            ),
            RULE,
        ),
    },
    new={
        "of two categories": (
            put("category", [message_category("message"), message_category("note")]),
            "COMMUNICATION_EXACTLY_ONE_MESSAGE_CATEGORY_IS_EXPECTED_ACTUAL",
        ),
        "of an unknown category": (
            put("category", [message_category("letter")]),
            "COMMUNICATION_EXACTLY_ONE_MESSAGE_CATEGORY_IS_EXPECTED_ACTUAL",
        ),
    },
    changed={
        "of another category": (
            put("category", [message_category("note")]),
            "COMMUNICATION_UPDATE_TO_CATEGORY_IS_NOT_ALLOWED",
        ),
    },
)
