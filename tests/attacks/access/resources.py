"""All that there is of each of the two patients."""

from collections.abc import Iterator
from typing import Any

from .names import (
    EHEALTH,
    UUID,
    concept,
    extension,
    to,
)

PROFILES = {
    "careplan": "material-communication",
    "measurement": "communication",
    "patient": "message",
}


def resources(n: int) -> Iterator[dict[str, Any]]:
    """Make all that there is of one patient."""
    team, patient, episode = (
        f"CareTeam/{'ab'[n - 1]}",
        f"Patient/{n}",
        f"EpisodeOfCare/{n}",
    )
    organization, plan, request = (
        f"Organization/{n}",
        f"CarePlan/{n}",
        f"ServiceRequest/{n}",
    )
    in_episode = [extension("episode", valueReference=to(episode))]
    subject = to(patient)
    measured = {
        "extension": in_episode,
        "basedOn": [to(request)],
        "subject": subject,
    }
    roles = [
        {
            "url": f"{EHEALTH}modifier-role",
            "extension": [
                {"url": "reference", "valueReference": to(organization)},
                {"url": "role", "valueCodeableConcept": concept("owner")},
            ],
        }
    ]

    def of(type_: str, **more: Any) -> dict[str, Any]:
        return {"resourceType": type_, "id": str(n), **more}

    yield of("Organization", name=f"Organization {n}")
    care_team = {
        "resourceType": "CareTeam",
        "status": "active",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{UUID}"}],
        "reasonCode": [{"text": "COPD"}],
    }
    yield {**care_team, "id": "ab"[n - 1]}
    yield {**care_team, "id": f"plan-{n}"}
    yield of(
        "Patient",
        name=[{"family": f"Secret{n}"}],
        address=[{"city": "Odense"}],
        gender="female",
    )
    yield of("RelatedPerson", patient=subject)
    yield of(
        "EpisodeOfCare",
        status="active",
        patient=subject,
        team=[to(team)],
        managingOrganization=to(organization),
        diagnosis=[{"condition": to(f"Condition/{n}")}],
    )
    yield of(
        "Condition", extension=in_episode, subject=subject, code=concept(f"dia{n}")
    )
    yield of(
        "Goal", subject=subject, lifecycleStatus="active", description={"text": "x"}
    )
    yield of(
        "PlanDefinition",
        status="draft",
        url=f"https://example.org/PlanDefinition/{n}",
        topic=[concept("self-treatment")],
        extension=roles,
    )
    yield of("ActivityDefinition", status="draft", extension=roles)
    yield of("Questionnaire", status="draft", extension=roles)
    yield of(
        "Basic",
        code=concept(
            "actionguidance", "http://ehealth.sundhed.dk/cs/basic-resource-type"
        ),
        extension=[*roles, extension("status", valueCoding={"code": "draft"})],
    )
    yield of(
        "Library",
        status="active",
        type=concept("logic-library"),
        parameter=[{"use": "in", "type": "Observation"}],
        extension=roles,
    )
    yield of(
        "CarePlan",
        status="active",
        intent="order",
        extension=in_episode,
        subject=subject,
        careTeam=[to(f"CareTeam/plan-{n}")],
        instantiatesCanonical=[f"https://example.org/PlanDefinition/{n}"],
        activity=[{"reference": to(request)}],
    )
    yield of(
        "ServiceRequest",
        status="active",
        intent="order",
        extension=in_episode,
        subject=subject,
        code=concept("weigh"),
        occurrenceDateTime="2026-01-08T08:00:00+00:00",
    )
    yield of(
        "Observation",
        status="final",
        code=concept("weight"),
        valueQuantity={"value": 70 + n},
        **measured,
    )
    yield of("Media", status="completed", content={"title": "x"}, **measured)
    yield of("QuestionnaireResponse", status="in-progress", **measured)
    yield of(
        "Provenance",
        target=[to(f"Observation/{n}")],
        recorded="2026-01-01T00:00:00Z",
        agent=[{"who": subject}],
    )
    yield of(
        "Consent",
        status="active",
        scope=concept("patient-privacy"),
        category=[concept("x")],
        policy=[{"uri": "https://example.org/policy"}],
        patient=subject,
        provision={"data": [{"meaning": "instance", "reference": to(episode)}]},
    )
    yield of(
        "CommunicationRequest",
        status="active",
        extension=in_episode,
        subject=subject,
        recipient=[subject],
    )
    document = [{"contentReference": to(f"DocumentReference/plan-{n}")}]
    for service, profile in PROFILES.items():
        yield {
            "resourceType": "Communication",
            "id": f"{service}-{n}",
            "meta": {"profile": [f"{EHEALTH}{profile}"]},
            "status": "in-progress",
            "subject": subject,
            "sender": subject,
            # Material is a document; what others tell needs none.
            **({"payload": document} if service == "careplan" else {}),
            "extension": [
                *in_episode,
                extension("communication-recipientCareTeam", valueReference=to(team)),
                extension(
                    "restriction-category",
                    valueCodeableConcept=concept("measurement-monitoring"),
                ),
            ],
        }
    yield of(
        "Task",
        status="requested",
        intent="order",
        **{"for": subject},
        owner=subject,
        extension=[
            extension("task-episodeOfCare", valueReference=to(episode)),
            extension("task-responsible", valueReference=to(team)),
            extension(
                "task-category",
                valueCodeableConcept=concept("MeasurementForAssessment"),
            ),
            extension(
                "restriction-category",
                valueCodeableConcept=concept("measurement-monitoring"),
            ),
        ],
    )
    yield of(
        "ClinicalImpression",
        status="completed",
        subject=subject,
        extension=[
            *in_episode,
            extension("clinicalimpression-careplan", valueReference=to(plan)),
        ],
    )
    yield of("Device", status="active", owner=to(organization))
    yield of(
        "DeviceMetric",
        type=concept("x"),
        category="measurement",
        source=to(f"Device/{n}"),
    )
    yield of(
        "DeviceUseStatement", status="active", subject=subject, device=to(f"Device/{n}")
    )
    yield of(
        "Appointment",
        status="booked",
        participant=[{"actor": subject, "status": "accepted"}],
    )
    yield of(
        "Composition",
        status="final",
        type=concept("x"),
        subject=subject,
        date="2026-01-01",
        author=[subject],
        title="x",
    )
    for service, profile in (
        ("plan", "documentreference"),
        ("document-transformation", "transformation-documentreference"),
    ):
        yield {
            "resourceType": "DocumentReference",
            "id": f"{service}-{n}",
            "meta": {"profile": [f"{EHEALTH}{profile}"]},
            "status": "current",
            "subject": subject,
            "content": [{"attachment": {"title": "x"}}],
            "context": {"encounter": [to(episode)]},
            "extension": roles,
        }
    yield of(
        "Practitioner",
        name=[{"family": f"Nurse{n}"}],
        meta={"profile": [f"{EHEALTH}practitioner"]},
    )
    yield of("PractitionerRole", active=True)
    yield of(
        "Binary",
        contentType="text/plain",
        data="eA==",
        securityContext=to(f"CarePlan/{n}"),
    )
    for kind in ("CodeSystem", "ValueSet", "ConceptMap", "NamingSystem"):
        yield of(kind, status="active", **TERMS.get(kind, {}))
    yield of(
        "OperationDefinition",
        name="x",
        status="active",
        kind="operation",
        code="x",
        system=False,
        type=False,
        instance=False,
    )
    yield of(
        "SearchParameter",
        url=f"https://example.org/SearchParameter/{n}",
        name="x",
        status="draft",
        description="x",
        code=f"made-up-{n}",
        base=["Basic"],
        type="token",
        expression="Basic.code",
    )
    yield {
        "resourceType": "Device",
        "id": "private",
        "status": "active",
        "extension": [extension("device-privatelyOwned", valueBoolean=True)],
    }
    yield {
        "resourceType": "DeviceUseStatement",
        "id": "private",
        "status": "active",
        "subject": to("Patient/1"),
        "device": to("Device/private"),
    }
    yield of("Group", type="person", actual=True)
    yield of(
        "StructureDefinition",
        meta={"profile": [f"{EHEALTH}definedquestion"]},
        url=f"https://example.org/StructureDefinition/{n}",
        name="x",
        status="active",
        kind="resource",
        abstract=False,
        type="Patient",
    )


TERMS = {
    "CodeSystem": {"content": "complete"},
    "NamingSystem": {
        "name": "x",
        "kind": "codesystem",
        "date": "2026-01-01",
        "uniqueId": [{"type": "uri", "value": "x"}],
    },
}
