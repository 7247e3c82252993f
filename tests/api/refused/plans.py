"""Writes of care plans and what comes with them that rules refuse."""

from __future__ import annotations

from ..guide import CS, EHEALTH, ext
from ..spoiling import Body, concept, drop, of_episode, put, to
from .writes import (
    ALL,
    CITIZEN,
    FOREIGN,
    LATER,
    MUCH_LATER,
    NURSE,
    RULE,
    SOON,
    Writes,
    also,
    more,
    planned,
)

CARE_PLAN = Writes(
    "careplan",
    {
        "resourceType": "CarePlan",
        "id": "1",
        "status": "active",
        "intent": "plan",
        "subject": to("Patient/1"),
        "extension": [of_episode()],
        "partOf": [to("CarePlan/2")],
        "activity": [{"reference": to("ServiceRequest/1")}],
    },
    "update",
    ALL,
    is_created=False,
    any={
        "of two changes at once": (
            planned("careplan-statusschedule", ("on-hold", SOON), ("completed", SOON)),
            "STATUS_SCHEDULE_IDENTICAL_TIME",
        ),
        "of another solution": (FOREIGN, "SYSTEM_TAG_UNEXPECTED_TAG"),
        "less than it was": (drop("activity"), RULE),
        "of no plan": (drop("partOf"), RULE),
        "of what is not there": (
            lambda one: one["activity"].append({"reference": to("urn:uuid:9")}),
            "GENERAL_RESOURCE_NOT_FOUND",
        ),
        "of what says no time": (
            lambda one: one["activity"].append(
                {"reference": to("ServiceRequest/timeless")}
            ),
            "GENERAL_VALIDATION_ERROR_NO_OCCURRENCE",
        ),
    },
)


TIMING: Body = {
    "repeat": {
        "boundsPeriod": {"start": "2026-01-08T08:00:00+01:00"},
        "frequency": 1,
        "period": 1,
        "periodUnit": "d",
    }
}


REQUEST = Writes(
    "careplan",
    {
        "resourceType": "ServiceRequest",
        "id": "1",
        "status": "active",
        "intent": "order",
        "subject": to("Patient/1"),
        "code": concept("NPU03011"),
        "extension": [of_episode()],
        "occurrenceTiming": TIMING,
    },
    "update",
    ALL,
    is_created=False,
    any={
        "at no time": (
            drop("occurrenceTiming"),
            "GENERAL_VALIDATION_ERROR_NO_OCCURRENCE",
        ),
        "without a start": (
            put("occurrenceTiming", "repeat", "boundsPeriod", {"end": MUCH_LATER}),
            "GENERAL_TIMING_OCCURENCE_WITHOUT_START_VALIDATION_ERROR",
        ),
        "how often is not said": (
            drop("occurrenceTiming", "repeat", "frequency"),
            "GENERAL_TIMING_VALIDATION_ERROR",
        ),
        "in no unit": (
            drop("occurrenceTiming", "repeat", "periodUnit"),
            "GENERAL_TIMING_VALIDATION_ERROR",
        ),
        "that ends before it begins": (
            put(
                "occurrenceTiming",
                "repeat",
                "boundsPeriod",
                "end",
                "2025-01-08T08:00:00+01:00",
            ),
            "GENERAL_TIMING_VALIDATION_ERROR",
        ),
        "of two changes at once": (
            planned(
                "servicerequest-statusSchedule", ("on-hold", SOON), ("completed", SOON)
            ),
            "STATUS_SCHEDULE_IDENTICAL_TIME",
        ),
        "that a trigger has started": (
            more(ext("trigger-enablement-code", valueCode="TRIGGER_DONE")),
            "GENERAL_TRIGGER_ENABLEMENT_VALIDATION_ERROR",
        ),
        "of another solution": (FOREIGN, "SYSTEM_TAG_UNEXPECTED_TAG"),
    },
)


EPISODE_OF_CARE = Writes(
    "careplan",
    {
        "resourceType": "EpisodeOfCare",
        "id": "planned",
        "status": "planned",
        "patient": to("Patient/1"),
        "team": [to("CareTeam/1")],
    },
    "patch",
    ALL,
    is_created=False,
    any={
        "without a consent": (
            put("status", "active"),
            "EPISODEOFCARE_PATCH_NO_CONSENT",
        ),
        "that pauses too long": (
            planned(
                "episodeofcare-statusschedule",
                ("active", SOON),
                ("onhold", LATER),
                ("active", MUCH_LATER),
            ),
            "STATUS_SCHEDULE_PAUSE_MAX_30_DAYS",
        ),
        "of two changes at once": (
            planned(
                "episodeofcare-statusschedule", ("active", SOON), ("cancelled", SOON)
            ),
            "STATUS_SCHEDULE_IDENTICAL_TIME",
        ),
        "of no team": (drop("team"), RULE),
    },
)


WISH = Writes(
    "careplan",
    {
        "resourceType": "CommunicationRequest",
        "id": "1",
        "status": "active",
        "extension": [of_episode()],
        "basedOn": [to("ServiceRequest/1")],
        "subject": to("Patient/1"),
        "recipient": [to("Patient/1")],
    },
    "update",
    ALL,
    any={
        "of another episode": (
            put("extension", [of_episode("EpisodeOfCare/2")]),
            "COMMUNICATIONREQUEST_CONTEXT_NOT_MATCHING_SERVICEREQUEST",
        ),
        "of another patient": (
            put("subject", to("Patient/2")),
            "COMMUNICATIONREQUEST_SUBJECT_NOT_MATCHING_SERVICEREQUEST"
            " COMMUNICATIONREQUEST_SUBJECT_NOT_MATCHING_RECIPIENT",
        ),
        "to another patient": (
            put("recipient", [to("CareTeam/1"), to("Patient/2")]),
            "COMMUNICATIONREQUEST_SUBJECT_NOT_MATCHING_RECIPIENT",
        ),
    },
)


MATERIAL = Writes(
    "careplan",
    {
        "resourceType": "Communication",
        "id": "material",
        "meta": {"profile": [f"{EHEALTH}material-communication"]},
        "status": "in-progress",
        "category": [
            concept("material-assignment", f"{CS}material-communication-category")
        ],
        "subject": to("Patient/1"),
        "recipient": [to("Patient/1")],
        "payload": [{"contentReference": to("DocumentReference/1")}],
        "extension": [of_episode()],
    },
    "update",
    (NURSE, CITIZEN),
    new={
        "of nothing": (drop("payload"), "MATERIAL_COMMUNICATION_MISSING_PAYLOAD"),
        "of no episode": (
            drop("extension"),
            "MATERIAL_COMMUNICATION_MISSING_EPISODE_OF_CARE",
        ),
        "to another": (
            put("recipient", [to("Patient/2")]),
            "MATERIAL_COMMUNICATION_SUBJECT_AND_RECIPIENT_MISMATCH",
        ),
        "of another's episode": (
            also(put("subject", to("Patient/2")), put("recipient", [to("Patient/2")])),
            "MATERIAL_COMMUNICATION_PATIENT_MISMATCH_ON_EPISODEOFCARE"
            " MATERIAL_COMMUNICATION_PATIENT_MISMATCH_ON_CONTENT",
        ),
        "of another episode": (
            put("extension", [of_episode("EpisodeOfCare/2")]),
            "MATERIAL_COMMUNICATION_EPISODE_OF_CARE_MISMATCH_ON_CONTENT",
        ),
        "of what is not there": (
            put("payload", [{"contentReference": to("DocumentReference/none")}]),
            "MATERIAL_COMMUNICATION_UNABLE_TO_FIND_CONTENT",
        ),
        "of a text": (
            put("payload", [{"contentString": "Øvelser"}]),
            "MATERIAL_COMMUNICATION_UNABLE_TO_FIND_CONTENT",
        ),
    },
    changed={
        "of another patient": (
            put("subject", to("Patient/2")),
            "MATERIAL_COMMUNICATION_UPDATE_NOT_ALLOWED_FOR_FIELD",
        ),
        "of another category": (
            put("category", [concept("other", "urn:x")]),
            "MATERIAL_COMMUNICATION_UPDATE_NOT_ALLOWED_FOR_FIELD",
        ),
        "of a new episode": (
            put("extension", [of_episode("EpisodeOfCare/2")]),
            "MATERIAL_COMMUNICATION_UPDATE_NOT_ALLOWED_FOR_FIELD",
        ),
    },
)


USE = Writes(
    # The service for devices deletes none.
    "fhir",
    {
        "resourceType": "DeviceUseStatement",
        "id": "use",
        "status": "active",
        "subject": to("Patient/1"),
        "device": to("Device/1"),
    },
    "update",
    ALL,
    changed={"intended again": (put("status", "intended"), RULE)},
)
