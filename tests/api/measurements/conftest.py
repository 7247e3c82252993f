"""A server with a patient in an episode of care, who is to measure, and what for.

Resources are stored as a system does it, by the service that has everything; what is
submitted goes to the measurement service.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from fyr.core.app import Application
from fyr.core.context import Principal
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock

from ..guide import CS, EHEALTH, EPISODE, to

NPU = "urn:oid:1.2.208.176.2.1"
MINIMUM = "http://hl7.org/fhir/StructureDefinition/questionnaire-minOccurs"
REUSE = (
    "http://ehealth.sundhed.dk/policy/ehealth/reuse-of-measurement-chosen-by-citizen"
)
COHERENT = "http://ehealth.sundhed.dk/policy/ehealth/coherent-submitted-measurement"
#: Half an hour before the clock of the tests.
NOW = "2026-01-08T08:30:00+01:00"


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def episode_of(identity: str) -> dict[str, Any]:
    return {"url": EPISODE, "valueReference": to(f"EpisodeOfCare/{identity}")}


def timing(kind: str = "Adhoc", **ends: str) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"url": "serviceRequestVersionId", "valueId": "1"},
        {
            "url": "type",
            "valueCodeableConcept": concept(f"{CS}resolved-timing-type", kind),
        },
    ]
    parts += [{"url": name, "valueDateTime": value} for name, value in ends.items()]
    return {"url": f"{EHEALTH}resolved-timing", "extension": parts}


def quality(kind: str, system: str, code: str) -> dict[str, Any]:
    return {
        "url": f"{EHEALTH}quality",
        "extension": [
            {
                "url": "qualityType",
                "valueCodeableConcept": concept(f"{CS}quality-types", kind),
            },
            {
                "url": "qualityCode",
                "valueCodeableConcept": concept(f"{CS}{system}", code),
            },
        ],
    }


@dataclass
class World:
    """A server, a client of everything, and what is measured there."""

    built: Application
    #: who stores what is there before
    system: Principal | None = None
    #: who submits, unless a test says otherwise
    submitter: Callable[[], Client] | None = None
    ids: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        client = client_of(self.built)
        self.measurement = Client(client.wsgi, "/measurement/fhir")
        self.everything = client.acting_as(self.system) if self.system else client
        self.patient = self.put("Patient")["id"]
        self.episode = self.an_episode(self.patient)

    def put(self, resource_type: str, **elements: Any) -> dict[str, Any]:
        """Store a resource under an id of its own."""
        identity = elements.pop("id", f"{resource_type.lower()}-{next(self.ids)}")
        answer = self.everything.update(
            {"resourceType": resource_type, "id": identity, **elements}
        )
        assert answer.status in (200, 201), answer.body
        stored: dict[str, Any] = answer.json
        return stored

    def an_episode(self, patient: str, **elements: Any) -> str:
        given = {"status": "active", "managingOrganization": to("Organization/1")}
        stored = self.put(
            "EpisodeOfCare", **given, patient=to(f"Patient/{patient}"), **elements
        )
        return str(stored["id"])

    def an_order(self, code: str = "NPU03011", **elements: Any) -> str:
        """Store an active service request, by default for SpO2."""
        extension = [*elements.pop("extension", ()), episode_of(self.episode)]
        given = {
            "status": "active",
            "intent": "order",
            "code": concept(elements.pop("system", NPU), code),
            "subject": to(f"Patient/{self.patient}"),
            "extension": extension,
            **elements,
        }
        return str(self.put("ServiceRequest", **given)["id"])

    def a_questionnaire(self, *items: dict[str, Any], **more: Any) -> tuple[str, str]:
        """Store a Questionnaire and the order to answer it; tell both ids."""
        if items:
            more["item"] = list(items)
        asked = self.put("Questionnaire", status="active", **more)["id"]
        activity = self.put(
            "ActivityDefinition",
            status="active",
            relatedArtifact=[
                {
                    "type": "composed-of",
                    "resource": f"{self.base('questionnaire')}/Questionnaire/{asked}",
                }
            ],
        )["id"]
        order = self.an_order(
            "273586006",
            system="http://snomed.info/sct",
            instantiatesCanonical=[
                f"{self.base('plan')}/ActivityDefinition/{activity}"
            ],
        )
        return asked, order

    def base(self, service: str) -> str:
        root = self.built.settings.server.public_url or "http://localhost"
        return f"{root}/{service}/fhir"

    def observation(self, order: str, **elements: Any) -> dict[str, Any]:
        return self._measured(
            "Observation",
            order,
            {
                "status": "final",
                "code": concept(NPU, "NPU03011"),
                "effectiveDateTime": NOW,
                "performer": [to(f"Patient/{self.patient}")],
                "valueQuantity": {
                    "value": 97,
                    "unit": "%",
                    "system": "http://unitsofmeasure.org",
                    "code": "%",
                },
            },
            elements,
        )

    def response(
        self, questionnaire: str, order: str, *items: dict[str, Any], **elements: Any
    ) -> dict[str, Any]:
        more = {"item": list(items)} if items else {}
        return self._measured(
            "QuestionnaireResponse",
            order,
            {
                "status": "completed",
                "questionnaire": f"{self.base('questionnaire')}/Questionnaire/{questionnaire}",
                "authored": NOW,
                "source": to(f"Patient/{self.patient}"),
                **more,
            },
            elements,
        )

    def media(self, order: str, **elements: Any) -> dict[str, Any]:
        mode = {"url": f"{EHEALTH}media-usage-mode", "valueCode": "raw"}
        return self._measured(
            "Media",
            order,
            {
                "status": "completed",
                "type": concept(
                    "http://terminology.hl7.org/CodeSystem/media-type", "image"
                ),
                "createdDateTime": NOW,
                "content": {"contentType": "text/plain", "data": "ZTc0ZQ=="},
            },
            {**elements, "extension": [*elements.get("extension", ()), mode]},
        )

    def _measured(
        self,
        resource_type: str,
        order: str,
        usual: dict[str, Any],
        elements: dict[str, Any],
    ) -> dict[str, Any]:
        """Make a measurement; elements that are ``None`` are left out."""
        more = elements.pop("extension", ())
        timed = elements.pop("timing", timing())
        extension = [episode_of(elements.pop("episode", self.episode)), *more]
        made = {
            "resourceType": resource_type,
            "extension": [*extension, timed] if timed else extension,
            "basedOn": [to(f"ServiceRequest/{order}")],
            "subject": to(f"Patient/{self.patient}"),
            **usual,
            **elements,
        }
        return {name: value for name, value in made.items() if value is not None}

    def reuse(self, target: str, entity: str, **elements: Any) -> dict[str, Any]:
        return {
            "resourceType": "Provenance",
            "target": [to(target)],
            "recorded": NOW,
            "policy": [REUSE],
            "agent": [{"who": to(f"Patient/{self.patient}")}],
            "entity": [{"role": "quotation", "what": to(entity)}],
            **elements,
        }

    def submit(
        self, *resources: Mapping[str, Any], by: Client | None = None, **names: Any
    ) -> Answer:
        """Submit resources together."""
        if by is None:
            by = self.submitter() if self.submitter else self.measurement
        return by.post("$submit-measurement", given(bundle(*resources)))

    def submitted(
        self, *resources: Mapping[str, Any], by: Client | None = None
    ) -> list[dict[str, Any]]:
        """Submit resources, and read what was stored, in their order."""
        answer = self.submit(*resources, by=by)
        assert answer.status == 200, answer.body
        return [self.read(entry) for entry in answer.json["entry"]]

    def read(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Read what an entry of an answer tells of."""
        location = entry["response"]["location"].partition("/_history/")[0]
        found: dict[str, Any] = self.everything.get(
            "/".join(location.split("/")[-2:])
        ).json
        return found

    def stored(self) -> dict[str, int]:
        """Count what is stored, by type."""
        return dict(self.built.resources.counts())

    def provenances(self, target: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.everything.get(
            "Provenance", {"target": target}
        ).resources
        return found


def bundle(*resources: Mapping[str, Any]) -> dict[str, Any]:
    """Make a Bundle; a resource with ``fullUrl`` says the name of its entry."""
    entries = []
    for one in resources:
        resource = deepcopy(dict(one))
        url = resource.pop("fullUrl", f"urn:uuid:{uuid4()}")
        request = {"method": "POST", "url": resource["resourceType"]}
        entries.append({"fullUrl": url, "resource": resource, "request": request})
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "transaction"}
    return {**made, "entry": entries} if entries else made


def given(measurement: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "measurement", "resource": measurement}],
    }


def in_bundle(place: str) -> str:
    """Tell a place in what was sent as one in the Bundle in it."""
    return place.replace("Parameters.parameter[0].resource", "Bundle", 1)


class Make:
    """Makes parts of resources."""

    bundle = staticmethod(bundle)
    concept = staticmethod(concept)
    given = staticmethod(given)
    quality = staticmethod(quality)
    timing = staticmethod(timing)


@pytest.fixture
def make() -> Make:
    return Make()


@pytest.fixture
def store() -> str:
    """Where all is kept; modules for which the database matters say ``store_url``."""
    return "sqlite://"


@pytest.fixture
def options(store: str) -> dict[str, Any]:
    """The settings of a server, for tests that need some more."""
    areas = ["search", "administrative", "clinical"]
    return {"store": {"url": store}, "plugins": {"enabled": areas}}


@pytest.fixture
def built(tmp_path: Path, options: dict[str, Any]) -> Iterator[Application]:
    with application(settings_with(options, tmp_path), FakeClock()) as made:
        yield made


@pytest.fixture
def world(built: Application) -> World:
    """A server with a patient in an active episode of care."""
    return World(built)


@pytest.fixture
def new_world() -> type[World]:
    """What is on a server that a test makes itself."""
    return World


@pytest.fixture
def submitting_with_messages(
    tmp_path: Path, options: dict[str, Any]
) -> Iterator[World]:
    """The same on a server that tells events."""
    options["plugins"]["enabled"].append("event_messages")
    with application(settings_with(options, tmp_path), FakeClock()) as made:
        yield World(made)


@pytest.fixture
def refused() -> Callable[[Answer], list[tuple[str, str]]]:
    """Tell why something was refused: texts with their places in the Bundle sent."""

    def told(answer: Answer) -> list[tuple[str, str]]:
        assert answer.status == 422, answer.body
        return [
            (one["diagnostics"], *map(in_bundle, one.get("expression", [""])))
            for one in answer.json["issue"]
        ]

    return told


@pytest.fixture
def problems(world, refused):
    """Submit what is refused, and is not stored; tell texts and places."""

    def told(*resources):
        before = world.stored()
        found = refused(world.submit(*resources))
        assert world.stored() == before
        return found

    return told
