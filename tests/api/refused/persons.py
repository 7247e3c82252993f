"""Writes about who takes part that rules refuse: persons, teams, organizations."""

from __future__ import annotations

from ..guide import CS, ext
from ..spoiling import Body, concept, drop, put, to
from .writes import ALL, RULE, STAFF, Writes, more, of_team

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
