"""Two servers with the same patients, one that decides and one that does not.

Team A treats patient 1 in episode 1, team B patient 2 in episode 2; each episode has a
care plan of a further team with a service request, and what was measured for it. An attack
is made on both servers: one that fails on the open one too would prove nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.context import Principal
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock

ROOT = "https://fyr.example.org"
UUID = "0554191e-a45e-47ca-b267-a116af640a04"
EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
#: The service in which each type has its URL.
HOMES = {
    "EpisodeOfCare": "careplan",
    "Patient": "patient",
    "CareTeam": "organization",
    "Organization": "organization",
    "Practitioner": "organization",
    "CarePlan": "careplan",
    "ServiceRequest": "careplan",
    "Observation": "measurement",
}
KEYS = {
    "EpisodeOfCare": "episode_of_care",
    "Patient": "patient",
    "CareTeam": "care_team",
    "Organization": "organization",
}


def url(reference: str) -> str:
    """Write a reference as clients know it."""
    return f"{ROOT}/{HOMES[reference.partition('/')[0]]}/fhir/{reference}"


def to(reference: str) -> dict[str, str]:
    return {"reference": reference}


def extension(name: str, **value: Any) -> dict[str, Any]:
    return {"url": EPISODE if name == "episode" else f"{EHEALTH}{name}", **value}


def concept(code: str, system: str = "") -> dict[str, Any]:
    coding = {"code": code, **({"system": system} if system else {})}
    return {"coding": [coding]}


def who(user_type: str, user: str = "", *contexts: str, may: str = "") -> Principal:
    """Make a principal: ``who("PRACTITIONER", "n", "CareTeam/a", may="CarePlan.read")``."""
    return Principal(
        user_type,
        url(user) if user else "4f5f6cf6-0000-4000-8000-000000000002",
        frozenset(may.split()),
        {KEYS[one.partition("/")[0]]: url(one) for one in contexts},
    )


@dataclass
class World:
    """A server, and clients of its services."""

    built: Application
    everything: Client = field(init=False)

    def __post_init__(self) -> None:
        wsgi = client_of(self.built).wsgi
        system = Principal("SYSTEM", "test", frozenset(PRIVILEGES))
        self.everything = Client(wsgi, "/fhir").acting_as(system)

    def at(self, service: str, principal: Principal | None = None) -> Client:
        client = Client(self.everything.wsgi, f"/{service}/fhir")
        return client.acting_as(principal) if principal else client

    def put(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Store a resource as the system does."""
        answer = self.everything.update(resource)
        assert answer.status in (200, 201), answer.body
        return dict(answer.json)


def privileges() -> Iterator[str]:
    from fyr.core.model.definitions import RESOURCE_TYPES

    yield from (f"{kind}.*" for kind in RESOURCE_TYPES)
    yield "FHIR.transaction"


PRIVILEGES = tuple(privileges())
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


def _world(
    folder: Any, *plugins: str, url: str = "sqlite://", **more: Any
) -> Iterator[World]:
    options = {
        **more,
        "store": {"url": url},
        "server": {"public_url": ROOT},
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["search", "administrative", "clinical", *plugins]},
    }
    with application(settings_with(options, folder), FakeClock()) as built:
        world = World(built)
        for n in (1, 2):
            for one in resources(n):
                world.put(one)
        yield world


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server that decides."""
    yield from _world(tmp_path_factory.mktemp("guarded"), "access_control")


@pytest.fixture(scope="session")
def unguarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same without decisions."""
    yield from _world(tmp_path_factory.mktemp("unguarded"))


@pytest.fixture(params=["guarded", "unguarded"])
def world(request: pytest.FixtureRequest) -> World:
    """Each of them in turn."""
    made: World = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def decides(world: World) -> bool:
    """Whether this is the server on which an attack has to fail."""
    return any(one.name == "access_control" for one in world.built.plugins)


@pytest.fixture(scope="session")
def kit() -> Any:
    """What tests make principals and resources with."""
    return Kit()


class Kit:
    """Functions of this module, for tests that cannot import it."""

    url = staticmethod(url)
    to = staticmethod(to)
    who = staticmethod(who)
    extension = staticmethod(extension)
    concept = staticmethod(concept)
    resources = staticmethod(resources)
    root = ROOT
    world = staticmethod(_world)

    @staticmethod
    def nurse(team: str, episode: int = 0, *more: str, may: str = "") -> Principal:
        """Make a nurse of a team, in an episode if one is chosen."""
        chosen = [f"EpisodeOfCare/{episode}"] if episode else []
        return who(
            "PRACTITIONER",
            "Practitioner/1",
            f"CareTeam/{team}",
            *chosen,
            *more,
            may=may,
        )

    @staticmethod
    def citizen(n: int, *more: str, may: str = "") -> Principal:
        """Make a citizen."""
        return who("PATIENT", f"Patient/{n}", f"Patient/{n}", *more, may=may)

    @staticmethod
    def without(principal: Principal, key: str) -> Principal:
        """Take a context away."""
        context = {k: v for k, v in principal.context.items() if k != key}
        return replace(principal, context=context)


__all__ = ["Answer", "Kit", "World"]
