"""Plain writes that rules refuse: for each type a good resource, and what spoils it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from fyr.core import Machine

from .guide import CS, EHEALTH, ext
from .refused_submissions import IDENTIFIED, MEDIA, OBSERVATION, RESPONSE
from .spoiling import Body, Spoil, concept, drop, of_episode, put, spoilt, to

NURSE, CITIZEN, SYSTEM = "PRACTITIONER", "PATIENT", "SYSTEM"
STAFF = (NURSE, SYSTEM)
ALL = (NURSE, CITIZEN, SYSTEM)
RULE = "GENERAL_VALIDATION_ERROR"
#: What spoils a resource, and the codes that it is refused with.
Rows = Mapping[str, tuple[Spoil, str]]


@dataclass(frozen=True)
class Writes:
    """The refusals of one type, at one service."""

    service: str
    good: Body
    #: what the service offers beside ``create``
    change: str
    #: who is held to it
    users: tuple[str, ...]
    #: of what is new and of what changes, of one of these only
    any: Rows = field(default_factory=dict)
    new: Rows = field(default_factory=dict)
    changed: Rows = field(default_factory=dict)
    is_created: bool = True

    @property
    def kind(self) -> str:
        return str(self.good["resourceType"])


@dataclass(frozen=True)
class Case:
    """One write that is refused."""

    about: Writes
    method: str
    user: str
    sent: Body
    codes: frozenset[str]


def without(name: str) -> Spoil:
    """Take the extensions of a name off."""

    def spoil(resource: Any) -> None:
        kept = [one for one in resource["extension"] if not one["url"].endswith(name)]
        resource["extension"] = kept
        if not kept:
            del resource["extension"]

    return spoil


def more(*extensions: Body) -> Spoil:
    """Add extensions."""

    def spoil(resource: Any) -> None:
        resource["extension"] = [*resource.get("extension", []), *extensions]

    return spoil


def also(*spoils: Spoil) -> Spoil:
    """Spoil in several ways."""

    def spoil(resource: Any) -> None:
        for one in spoils:
            one(resource)

    return spoil


def planned(name: str, *changes: tuple[str, str]) -> Spoil:
    """Plan changes of status: states and moments."""
    return more(
        *(
            ext(
                name,
                extension=[
                    {"url": "scheduledTime", "valueDateTime": moment},
                    {"url": "status", "valueCode": status},
                ],
            )
            for status, moment in changes
        )
    )


def of_team(name: str, team: str = "CareTeam/1") -> Body:
    return ext(name, valueReference=to(team))


def restricted(code: str) -> Body:
    concept_ = concept(code, f"{CS}restriction-category")
    return ext("restriction-category", valueCodeableConcept=concept_)


def of_category(code: str) -> Body:
    return ext(
        "task-category", valueCodeableConcept=concept(code, f"{CS}task-category")
    )


def role(name: str) -> Body:
    parts = [
        {"url": "reference", "valueReference": to("Organization/1")},
        {"url": "role", "valueCodeableConcept": concept(name, "urn:x")},
    ]
    return ext("modifier-role", extension=parts)


SOON, LATER, MUCH_LATER = (
    f"2026-{day}T08:00:00+01:00" for day in ("02-01", "02-02", "04-01")
)
FOREIGN = put("meta", {"tag": [{"system": f"{CS}ehealth-system", "code": "xb"}]})

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
CARE_TEAM = Writes(
    "organization",
    {
        "resourceType": "CareTeam",
        "id": "1",
        "status": "active",
        "identifier": [
            {
                "system": "urn:ietf:rfc:3986",
                "value": "urn:uuid:0554191e-a45e-47ca-b267-a116af640a04",
            }
        ],
        "reasonCode": [concept("DJ44", "urn:x")],
    },
    "update",
    STAFF,
    any={
        "of no UUID": (
            put("identifier", 0, "value", "north"),
            "CARETEAM_GENERAL_EXTERNAL_SECURITY_TOKEN_CARETEAM_IDENTIFIER_SYSTEM_IS_MISSING",
        ),
        "of no identifier": (
            drop("identifier"),
            "CARETEAM_GENERAL_EXTERNAL_SECURITY_TOKEN_CARETEAM_IDENTIFIER_SYSTEM_IS_MISSING",
        ),
        "for no reason": (drop("reasonCode"), RULE),
        "of definitions": (
            more(
                ext(
                    "useContext",
                    valueUsageContext={
                        "code": {"code": "focus"},
                        "valueCodeableConcept": concept("DJ44"),
                    },
                )
            ),
            RULE,
        ),
    },
    changed={
        "in itself": (put("participant", [{"member": to("CareTeam/1")}]), RULE),
    },
)


def from_source(code: str) -> Body:
    system = f"{CS}organization-source"
    return ext("organization-source", valueCodeableConcept=concept(code, system))


SSL = "http://ehealth.sundhed.dk/organization/ssl"
ORGANIZATION = Writes(
    "organization",
    {
        "resourceType": "Organization",
        "id": "1",
        "extension": [from_source("manual")],
        "name": "Sundhedscenter Nord",
        "identifier": [
            {"system": "urn:oid:2.16.840.1.113883.2.24.1.1", "value": "11111111"}
        ],
    },
    "update",
    STAFF,
    any={
        "of another system": (
            lambda one: one["identifier"].append({"system": "urn:x", "value": "1"}),
            "ORGANIZATION_IDENTIFIER_SYSTEM_NOT_ALLOWED_FOR_SOURCE_MANUAL",
        ),
        "of no CVR": (
            drop("identifier"),
            "ORGANIZATION_IDENTIFIER_MUST_CONTAIN_AT_LEAST_CVR_FOR_SOURCE_MANUAL",
        ),
        "of a number that is taken": (
            lambda one: one["identifier"].append({"system": SSL, "value": "taken"}),
            "ORGANIZATION_IDENTIFIER_NOT_UNIQUE",
        ),
    },
)
REGISTERED = Writes(
    "organization",
    {**ORGANIZATION.good, "id": "3"},
    "patch",
    STAFF,
    any={
        "of a register": (
            put("extension", [from_source("SOR")]),
            "ORGANIZATION_SOURCE_MUST_BE_MANUAL",
        ),
    },
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


def submitted(made: Body) -> Body:
    return {**made, **IDENTIFIED[made["resourceType"]], "id": "1"}


SUBMITTED = Writes(
    "measurement",
    submitted(OBSERVATION),
    "patch",
    ALL,
    is_created=False,
    any={
        "of another value": (put("valueQuantity", "value", 98), RULE),
        "of another code": (put("code", concept("NPU03804")), RULE),
        "of nobody": (drop("subject"), RULE),
        "of another episode": (
            put("extension", 0, of_episode("EpisodeOfCare/2")),
            RULE,
        ),
        "that was never submitted": (drop("identifier"), RULE),
    },
)
ANSWERS = Writes(
    "measurement",
    submitted(RESPONSE),
    "update",
    ALL,
    is_created=False,
    any={
        "of another answer": (put("item", 0, "answer", 0, "valueInteger", 2), RULE),
        "of another source": (put("source", to("Patient/2")), RULE),
        "in progress again": (put("status", "in-progress"), RULE),
        "of no episode": (drop("extension"), RULE),
    },
)
PICTURE = Writes(
    "measurement",
    submitted({**MEDIA, "content": {"contentType": "image/png", "url": "urn:x"}}),
    "update",
    ALL,
    is_created=False,
    any={
        "of another content": (put("content", "url", "urn:y"), RULE),
        "of nobody": (drop("subject"), RULE),
        "of another episode": (
            put("extension", 0, of_episode("EpisodeOfCare/2")),
            RULE,
        ),
    },
)
CPR = "urn:oid:1.2.208.176.1.2"
PERSON = Writes(
    "patient",
    {
        "resourceType": "Patient",
        "id": "1",
        "identifier": [{"system": CPR, "value": "0707614285"}],
        "name": [{"use": "official", "family": "Berg"}],
        "address": [{"use": "home", "city": "Odense"}],
    },
    "patch",
    ALL,
    is_created=False,
    any={
        "of no number": (drop("identifier"), "PATIENT_MUST_HAVE_CRN_IDENTIFIER"),
        "of another number": (
            put("identifier", 0, "value", "1212121212"),
            "PATIENT_CPR_CHANGE_IS_NOT_ALLOWED",
        ),
        "of another name": (
            put("name", 0, "family", "Dal"),
            "PATIENT_OFFICIAL_NAME_CHANGE_NOT_ALLOWED",
        ),
        "of another home": (
            put("address", 0, "city", "Vejle"),
            "PATIENT_HOME_ADDRESS_CHANGE_IS_NOT_ALLOWED",
        ),
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
VDX = "http://vdx.medcom.dk/meeting"
APPOINTMENT = Writes(
    "patient",
    {
        "resourceType": "Appointment",
        "id": "1",
        "status": "cancelled",
        "identifier": [
            {"system": "http://ehealth.sundhed.dk/id/ehealth-identifier", "value": "1"},
            {"system": VDX, "value": "1"},
        ],
        "extension": [of_team("creator")],
        "participant": [{"actor": to("Patient/1"), "status": "accepted"}],
    },
    "update",
    ALL,
    is_created=False,
    any={
        "booked again": (
            put("status", "booked"),
            "APPOINTMENT_NOT_ALLOWED_TO_UPDATE_STATUS_ONCE_THE_APPOINTMENT_HAS_ENTERED_CANCELLED_OR_ENTEREDINERROR",
        ),
        "of another identifier": (
            put("identifier", 0, "value", "2"),
            "APPOINTMENT_NOT_ALLOWED_TO_CHANGE_SYSTEM_IDENTIFIER",
        ),
        "of another meeting": (
            drop("identifier", 1),
            "APPOINTMENT_NOT_ALLOWED_TO_CHANGE_VDX_IDENTIFIER",
        ),
        "of another team": (
            put("extension", [of_team("creator", "CareTeam/2")]),
            "APPOINTMENT_NOT_ALLOWED_TO_CHANGE_CREATOR",
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
ALL_WRITES = (
    *(
        TASK,
        IMPRESSION,
        MESSAGE,
        CARE_TEAM,
        ORGANIZATION,
        REGISTERED,
        CARE_PLAN,
        REQUEST,
    ),
    *(EPISODE_OF_CARE, QUESTIONNAIRE, PLAN, ACTIVITY, LIBRARY, GUIDANCE, USE),
    published(
        "PlanDefinition", "plan", "PLANDEFINITION_UPDATE_ALLOWED_FOR_USECONTEXT_STATUS"
    ),
    published(
        "ActivityDefinition",
        "plan",
        "ACTIVITYDEFINITION_UPDATE_ALLOWED_FOR_USECONTEXT_STATUS",
    ),
    published(
        "Questionnaire",
        "questionnaire",
        "QUESTIONNAIRE_UPDATE_ALLOWED_FOR_USECONTEXT_STATUS",
    ),
    *(SUBMITTED, ANSWERS, PICTURE, PERSON, APPOINTMENT, WISH, MATERIAL),
)
#: What each machine is about.
BY_MACHINE: dict[str, Writes] = {
    "task": TASK,
    "clinical-impression": IMPRESSION,
    "message": MESSAGE,
    # Other plans with the activity of the one that impressions are about would confuse.
    "care-plan": replace(CARE_PLAN, good=spoilt(CARE_PLAN.good, drop("activity"))),
    "service-request": REQUEST,
    "episode-of-care": EPISODE_OF_CARE,
    "questionnaire": QUESTIONNAIRE,
    "plan-definition": PLAN,
    "activity-definition": ACTIVITY,
    "library": LIBRARY,
    "communication-request": WISH,
    "material": MATERIAL,
    "guidance": GUIDANCE,
    "observation": SUBMITTED,
    "questionnaire-response": ANSWERS,
    "media": PICTURE,
    "device-use-statement": USE,
}
#: What else is there.
AROUND: list[Body] = [
    {
        "resourceType": "DocumentReference",
        "id": "1",
        "status": "current",
        "subject": to("Patient/1"),
        "context": {"encounter": [to("EpisodeOfCare/1")]},
        "content": [{"attachment": {"title": "Øvelser"}}],
    },
    {"resourceType": "Patient", "id": "2"},
    {"resourceType": "CareTeam", "id": "2", "status": "active"},
    {
        "resourceType": "Organization",
        "id": "2",
        "identifier": [{"system": SSL, "value": "taken"}],
    },
    *(
        {
            "resourceType": "EpisodeOfCare",
            "id": identity,
            "status": "active",
            "patient": to("Patient/1"),
        }
        for identity in "12"
    ),
    {
        "resourceType": "CarePlan",
        "id": "2",
        "status": "active",
        "intent": "plan",
        "subject": to("Patient/1"),
        "extension": [of_episode()],
    },
    {**REQUEST.good, "id": "timeless", "status": "active"},
]
del AROUND[-1]["occurrenceTiming"]


def ways(about: Writes) -> Iterator[tuple[str, Rows]]:
    """Tell the ways in of a type, with what is refused there."""
    if about.is_created:
        yield "create", {**about.any, **about.new}
    yield about.change, {**about.any, **about.changed}


def cases() -> Iterator[tuple[str, Case]]:
    """Make every write that is spoilt in one way, for all who are held to it."""
    for about in ALL_WRITES:
        for method, rows in ways(about):
            for name, (spoil, codes) in rows.items():
                for user in about.users:
                    sent = spoilt(about.good, spoil)
                    case = Case(about, method, user, sent, frozenset(codes.split()))
                    yield f"{about.kind} {name}, {method} by {user}", case


#: What is no problem, or another one, beside the other.
UNITED = {
    "by nobody and by two",
    "of another patient and to another patient",
    "by text to a team and of a citizen to a citizen",
    # What may change while it is in use is asked of steps that there are.
    "in use, of another author and in use, a draft again",
}


def pairs() -> Iterator[tuple[str, Case]]:
    """Make the writes that are spoilt in two ways which do not touch each other."""
    for about in ALL_WRITES:
        method, rows = list(ways(about))[-1]
        named = list(rows.items())
        for number, (one, (first, codes)) in enumerate(named):
            for other, (second, more_) in named[number + 1 :]:
                apart = touched(about.good, first).isdisjoint(
                    touched(about.good, second)
                )
                if apart and f"{one} and {other}" not in UNITED:
                    sent = spoilt(about.good, also(first, second))
                    told = frozenset(f"{codes} {more_}".split())
                    case = Case(about, method, about.users[0], sent, told)
                    yield f"{about.kind} {one} and {other}", case


def in_state(machine: Machine, good: Body, state: str, identity: str) -> Body:
    """Bring a resource into a state, under an id of its own."""
    made = {**deepcopy(good), "id": identity}
    if machine.name == "guidance":
        without("-status")(made)
        more(ext("status", valueCoding={"code": state}))(made)
    elif machine.name == "device-use-statement":
        made["status"] = "intended" if state == "intended" else "active"
    elif isinstance(machine.state, str):
        machine.set_state(made, state)
    return made


def is_listed(machine: Machine, start: str | None, end: str | None, user: str) -> bool:
    """Whether a table lets a user take a step, guards aside."""
    rows = machine.between(start, end)
    if any(user in one.by for one in rows):
        return True
    if start is None:
        return user == SYSTEM
    return start == end and not rows


def touched(good: Body, spoil: Spoil) -> set[str]:
    """Tell the elements that a spoiling changes."""
    made = spoilt(good, spoil)
    return {one for one in {*good, *made} if good.get(one) != made.get(one)}


def patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Body]:
    """Write what makes one resource of another: https://www.rfc-editor.org/rfc/rfc6902."""
    gone = [{"op": "remove", "path": f"/{one}"} for one in old if one not in new]
    put_ = [
        {"op": "add", "path": f"/{name}", "value": deepcopy(value)}
        for name, value in new.items()
        if old.get(name) != value
    ]
    return [*gone, *put_]
