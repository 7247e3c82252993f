"""What people in the story write: a plan for COPD, an episode of care, measurements."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fyr.core import Resource

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
CS = "http://ehealth.sundhed.dk/cs/"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
NPU = "urn:oid:1.2.208.176.2.1"
SKS = "urn:oid:1.2.208.176.2.4"
MEDCOM = "urn:oid:1.2.208.184.100.1"
UCUM = "http://unitsofmeasure.org"
REUSE = (
    "http://ehealth.sundhed.dk/policy/ehealth/reuse-of-measurement-chosen-by-citizen"
)
SNOMED = "http://snomed.info/sct"
SATURATION, PULSE = "NPU03011", "NPU21692"
ANSWERS, PHOTO = "273586006", "446080005"
#: What people call them.
WORDS = {
    SATURATION: "Iltmætning",
    PULSE: "Puls",
    ANSWERS: "Ugens spørgsmål",
    PHOTO: "Foto af slim",
}
#: The region that both organizations are in.
REGION = "1081"


def to(reference: str) -> dict[str, str]:
    """Write a Reference."""
    return {"reference": reference}


def concept(code: str, system: str) -> dict[str, Any]:
    """Write a CodeableConcept of one code."""
    return {"coding": [{"system": system, "code": code}]}


def ext(name: str, **value: Any) -> dict[str, Any]:
    """Write an extension of the guide, or one with a URL of its own."""
    return {"url": name if "://" in name else EHEALTH + name, **value}


def profiled(kind: str, profile: str, **elements: Any) -> dict[str, Any]:
    """Write a resource of a profile of the guide."""
    return {
        "resourceType": kind,
        "meta": {"profile": [EHEALTH + profile]},
        **{name: value for name, value in elements.items() if value is not None},
    }


def quantity(value: float, unit: str) -> dict[str, Any]:
    """Write a Quantity in a unit of UCUM."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def owner(organization: str) -> dict[str, Any]:
    """Say that a definition is an organization's."""
    return ext(
        "modifier-role",
        extension=[
            {"url": "reference", "valueReference": to(organization)},
            {
                "url": "role",
                "valueCodeableConcept": concept("owner", CS + "modifier-role"),
            },
        ],
    )


def organization(name: str, number: int) -> Resource:
    """Write an organization; its number in the business register is made up."""
    return profiled(
        "Organization",
        "organization",
        extension=[
            ext("organization-regionCode", valueString=REGION),
            ext(
                "organization-source",
                valueCodeableConcept=concept("manual", CS + "organization-source"),
            ),
            ext(
                "organization-synchronizationStatus",
                valueCodeableConcept=concept(
                    "NotSynchronized", CS + "organization-synchronization-status"
                ),
            ),
        ],
        identifier=[
            {
                "use": "official",
                "system": "urn:oid:2.16.840.1.113883.2.24.1.1",
                "value": str(number) * 8,
            }
        ],
        active=True,
        name=name,
    )


def treatment_area(tag: str) -> Resource:
    """Write which conditions a telemedicine solution is for: COPD."""
    concepts = [{"code": "DJ44"}]
    area = {
        "system": CS + "ehealth-usage-context-type",
        "code": "system-treatment-area",
    }
    return {
        "resourceType": "ValueSet",
        "url": "https://example.org/ValueSet/copd",
        "status": "active",
        "useContext": [
            {"code": area, "valueCodeableConcept": concept(tag, CS + "ehealth-system")}
        ],
        "compose": {"include": [{"system": SKS, "concept": concepts}]},
    }


def care_team(name: str, uuid: str, managing: str) -> Resource:
    """Write a care team for citizens with COPD."""
    return profiled(
        "CareTeam",
        "careteam",
        identifier=[{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{uuid}"}],
        status="active",
        name=name,
        reasonCode=[concept("DJ44", SKS)],
        managingOrganization=[to(managing)],
    )


def joins(team: str, when: datetime) -> dict[str, Any]:
    """Write that a care team is to join later."""
    return ext(
        "teamschedule",
        extension=[
            {"url": "careteam", "valueReference": to(team)},
            {"url": "addCareteam", "valueBoolean": True},
            {"url": "scheduledTime", "valueDateTime": when.isoformat()},
        ],
    )


def becomes(status: str, when: datetime) -> dict[str, Any]:
    """Write that a service request is to change its status later."""
    return ext(
        "servicerequest-statusSchedule",
        extension=[
            {"url": "status", "valueCode": status},
            {"url": "scheduledTime", "valueDateTime": when.isoformat()},
        ],
    )


def enrolment(
    patient: str, managing: str, team: str, start: datetime
) -> dict[str, Any]:
    """Write the bundle that an episode of care begins with."""
    episode = profiled(
        "EpisodeOfCare",
        "episodeofcare",
        extension=[
            ext("episodeofcare-caremanagerOrganization", valueReference=to(managing))
        ],
        status="planned",
        patient=to(patient),
        managingOrganization=to(managing),
        team=[to(team)],
        diagnosis=[{"condition": to("urn:uuid:c"), "rank": 1}],
        period={"start": start.isoformat()},
    )
    condition = profiled(
        "Condition",
        "condition",
        extension=[{"url": EPISODE, "valueReference": to("urn:uuid:e")}],
        subject=to(patient),
        code=concept("DJ44", SKS),
    )
    provenance = profiled(
        "Provenance",
        "provenance",
        target=[to("urn:uuid:e")],
        recorded=start.isoformat(),
        policy=["http://ehealth.sundhed.dk/policy/dk/sundhedsloven"],
        agent=[{"who": to(patient)}],
    )
    parts = {"urn:uuid:e": episode, "urn:uuid:c": condition, "urn:uuid:p": provenance}
    return bundle(parts)


def bundle(parts: dict[str, Any]) -> dict[str, Any]:
    """Write a transaction that creates resources, by the names they go by in it."""
    entries = [
        {
            "fullUrl": name,
            "resource": one,
            "request": {"method": "POST", "url": one["resourceType"]},
        }
        for name, one in parts.items()
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def consent(patient: str, episode: str, start: datetime) -> Resource:
    """Write that a citizen lets the episode of care begin."""
    return profiled(
        "Consent",
        "consent",
        status="active",
        scope=concept(
            "patient-privacy", "http://terminology.hl7.org/CodeSystem/consentscope"
        ),
        category=[concept("PITEOC", CS + "consent-category")],
        policy=[{"uri": "http://ehealth.sundhed.dk/policy/dk/sundhedsloven"}],
        patient=to(patient),
        dateTime=start.isoformat(),
        provision={"data": [{"meaning": "related", "reference": to(episode)}]},
    )


def measured(
    kind: str,
    patient: str,
    episode: str,
    request: Resource,
    base: str,
    slot: tuple[str, str] | None = None,
    **elements: Any,
) -> Resource:
    """Write a measurement for a request, in a slot or whenever."""
    parts: list[dict[str, Any]] = [
        {"url": "serviceRequestVersionId", "valueId": request["meta"]["versionId"]}
    ]
    named = "Resolved" if slot else "Adhoc"
    kind_of = concept(named, CS + "resolved-timing-type")
    parts.append({"url": "type", "valueCodeableConcept": kind_of})
    if slot:
        parts.append({"url": "start", "valueDateTime": slot[0]})
        parts.append({"url": "end", "valueDateTime": slot[1]})
    return profiled(
        kind,
        kind.lower(),
        extension=[
            {"url": EPISODE, "valueReference": to(episode)},
            ext("resolved-timing", extension=parts),
        ],
        basedOn=[to(f"{base}/ServiceRequest/{request['id']}")],
        subject=to(patient),
        **elements,
    )


def observation(code: str, value: float, unit: str, when: datetime) -> dict[str, Any]:
    """Write what is special about an Observation."""
    return {
        "status": "final",
        "code": concept(code, NPU),
        "effectiveDateTime": when.isoformat(),
        "valueQuantity": quantity(value, unit),
    }


def reuse(patient: str, target: str, entity: str, when: datetime) -> Resource:
    """Write that a citizen has chosen to use a measurement again."""
    return {
        "resourceType": "Provenance",
        "target": [to(target)],
        "recorded": when.isoformat(),
        "policy": [REUSE],
        "agent": [{"who": to(patient)}],
        "entity": [{"role": "quotation", "what": to(entity)}],
    }


def invalidation(
    patient: str, episode: str, measurement: str, version: str
) -> Resource:
    """Write that a measurement does not count."""
    return profiled(
        "ClinicalImpression",
        "clinicalimpression",
        extension=[
            {"url": EPISODE, "valueReference": to(episode)},
            ext(
                "clinicalimpression-decision",
                valueCodeableConcept=concept(
                    "invalidated-fulfills", CS + "clinicalimpression-decision-codes"
                ),
            ),
        ],
        status="completed",
        code=concept("MeasurementValidityUpdate", CS + "clinicalimpression-codes"),
        subject=to(patient),
        investigation=[
            {
                "code": concept(
                    "item-for-investigation",
                    CS + "clinicalimpression-investigation-item-codes",
                ),
                "item": [to(f"{measurement}/_history/{version}"), to(measurement)],
            }
        ],
        finding=[
            {
                "itemCodeableConcept": concept(
                    "measurement-invalidated", CS + "clinicalimpression-finding-codes"
                )
            }
        ],
    )


def message(text: str, team: str, patient: str, *, back: bool = False) -> Resource:
    """Write a message from a care team to a citizen, to be sent; or one back."""
    way = "recipient" if back else "sender"
    said = profiled(
        "Communication",
        "message",
        extension=[ext(f"communication-{way}CareTeam", valueReference=to(team))],
        status="in-progress",
        category=[concept("message", CS + "message-category")],
        payload=[{"contentString": text}],
    )
    if back:
        return {**said, "sender": to(patient)}
    return {**said, "recipient": [to(patient)]}
