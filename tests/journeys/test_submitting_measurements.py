"""Measurements while servers are killed: each is stored with all that belongs to it, or not.

Servers die as by a power cut while patients submit. Afterwards each measurement has its
Provenance and its siblings, content of Media is there, what was answered is kept, and the
outbox tells of all of it and of nothing else.
"""

import random
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import pytest

from fyr.core.app import Application
from fyr.core.events.change import RESOURCE
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.process import fyr_process

EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
TIMINGS = "http://ehealth.sundhed.dk/cs/resolved-timing-type"
COHERENT = "http://ehealth.sundhed.dk/policy/ehealth/coherent-submitted-measurement"
NPU = "urn:oid:1.2.208.176.2.1"
PLUGINS = ["search", "administrative", "clinical"]
MEASURED = ("Observation", "Media")
ROUNDS = 4
CLIENTS = 4
PATIENCE_SECONDS = 180
#: Of each Media.
CONTENT = b64encode(b"x" * 100).decode()


@pytest.fixture(scope="module")
def settings(store_url: str) -> dict[str, str]:
    return {
        "STORE__URL": store_url,
        "PLUGINS__ENABLED": str(PLUGINS).replace("'", '"'),
        "SERVER__WORKERS": "2",
        "LOG__LEVEL": "error",
    }


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def put(http: httpx.Client, **resource: Any) -> str:
    kind, identity = resource["resourceType"], resource["id"]
    answer = http.put(f"/fhir/{kind}/{identity}", json=resource)
    assert answer.status_code in (200, 201), answer.text
    return f"{kind}/{identity}"


def fill(http: httpx.Client) -> None:
    """Store a patient in an episode of care with something to measure."""
    patient = put(http, resourceType="Patient", id="p")
    episode = put(
        http,
        resourceType="EpisodeOfCare",
        id="e",
        status="active",
        patient={"reference": patient},
    )
    put(
        http,
        resourceType="ServiceRequest",
        id="s",
        status="active",
        intent="order",
        code=concept(NPU, "NPU03011"),
        subject={"reference": patient},
        occurrencePeriod={"start": "2026-01-01T08:00:00+01:00"},
        extension=[{"url": EPISODE, "valueReference": {"reference": episode}}],
    )


def submission(name: str) -> dict[str, Any]:
    """Make a submission of an Observation and a Media, both with a name."""
    timing = [
        {"url": "serviceRequestVersionId", "valueId": "1"},
        {"url": "type", "valueCodeableConcept": concept(TIMINGS, "Adhoc")},
    ]
    common = {
        "extension": [
            {"url": EPISODE, "valueReference": {"reference": "EpisodeOfCare/e"}},
            {"url": f"{EHEALTH}resolved-timing", "extension": timing},
        ],
        "identifier": [{"system": "urn:name", "value": name}],
        "subject": {"reference": "Patient/p"},
        "basedOn": [{"reference": "ServiceRequest/s"}],
    }
    found = [
        {
            "resourceType": "Observation",
            **common,
            "status": "final",
            "code": concept(NPU, "NPU03011"),
            "effectiveDateTime": "2026-01-08T08:30:00+01:00",
            "performer": [common["subject"]],
        },
        {
            "resourceType": "Media",
            **common,
            "status": "completed",
            "createdDateTime": "2026-01-08T08:30:00+01:00",
            "content": {"contentType": "text/plain", "data": CONTENT},
        },
    ]
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": one} for one in found],
    }
    parameter = {"name": "measurement", "resource": bundle}
    return {"resourceType": "Parameters", "parameter": [parameter]}


class Patients:
    """Submit one after the other, whatever becomes of the server."""

    def __init__(self) -> None:
        self.answered: list[str] = []
        self.refused: list[str] = []
        self.lost = 0
        self._news = threading.Condition()

    def submit(self, url: str, prefix: str) -> None:
        with httpx.Client(base_url=url, timeout=60) as http:
            number = 0
            while True:
                number += 1
                name = f"{prefix}-{number}"
                try:
                    answer = http.post(
                        "/measurement/fhir/$submit-measurement", json=submission(name)
                    )
                except httpx.HTTPError:
                    self.lost += 1
                    return
                with self._news:
                    self._news.notify()
                    if answer.status_code != 200:
                        self.refused.append(answer.text)
                        return
                    self.answered.append(name)

    def wait_for(self, enough: int) -> None:
        """Wait until so many were answered, or one was refused."""
        with self._news:
            assert self._news.wait_for(
                lambda: self.refused or len(self.answered) >= enough, PATIENCE_SECONDS
            )

    def run(self, url: str, round_: int) -> list[threading.Thread]:
        threads = [
            threading.Thread(target=self.submit, args=(url, f"{round_}-{n}"))
            for n in range(CLIENTS)
        ]
        for one in threads:
            one.start()
        return threads


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("submitting")


@pytest.fixture(scope="module")
def patients(folder: Path, settings: dict[str, str]) -> Patients:
    """Submit to servers that are killed in the middle of it."""
    made, chance = Patients(), random.Random(1)
    for round_ in range(ROUNDS):
        with fyr_process(folder, settings=settings) as fyr:
            if not round_:
                with httpx.Client(base_url=fyr.url, timeout=60) as http:
                    fill(http)
            enough = len(made.answered) + chance.randrange(3, 20)
            threads = made.run(fyr.url, round_)
            made.wait_for(enough)
            fyr.cut()
            for one in threads:
                one.join()
    assert made.refused == []
    return made


@pytest.fixture(scope="module")
def left(
    folder: Path, settings: dict[str, str], patients: Patients
) -> Iterator[Application]:
    """What the killed servers have left."""
    options = {
        "store": {"url": settings["STORE__URL"]},
        "plugins": {"enabled": PLUGINS},
    }
    with application(settings_with(options, folder / "data"), FakeClock()) as built:
        yield built


def found(built: Application, kind: str) -> list[dict[str, Any]]:
    return built.act(lambda acting: acting.find(kind, ("_lastUpdated", "gt2000")))


def name_of(resource: dict[str, Any]) -> str:
    (name,) = [
        one["value"] for one in resource["identifier"] if one["system"] == "urn:name"
    ]
    return str(name)


def test_killed_servers_leave_whole_submissions_and_their_events(
    left: Application, patients: Patients
) -> None:
    stored = {kind: found(left, kind) for kind in MEASURED}
    provenances = [
        one for one in found(left, "Provenance") if one["policy"] == [COHERENT]
    ]

    names = {kind: Counter(map(name_of, of)) for kind, of in stored.items()}
    assert patients.lost >= ROUNDS
    assert names["Observation"] == names["Media"]
    assert set(names["Observation"].values()) == {1}
    assert set(patients.answered) <= set(names["Observation"])
    targets = [[target["reference"] for target in one["target"]] for one in provenances]
    known = {
        f"{kind}/{one['id']}": name_of(one) for kind, of in stored.items() for one in of
    }
    assert sorted(chain.from_iterable(targets)) == sorted(known)
    assert all(len({known[one] for one in pair}) == 1 for pair in targets)


def test_killed_servers_leave_an_event_for_each_version_and_no_other(
    left: Application, patients: Patients
) -> None:
    kinds = (*MEASURED, "Provenance")
    told = Counter(
        (one.type, one.id, one.version)
        for one in left.outbox.tail(0)
        if one.topic == RESOURCE and one.type in kinds
    )

    versions = Counter(
        (kind, one["id"], int(one["meta"]["versionId"]))
        for kind in kinds
        for one in found(left, kind)
    )
    assert told == versions


def test_killed_servers_leave_the_content_of_every_media(
    left: Application, patients: Patients
) -> None:
    for one in found(left, "Media"):
        uuid = one["content"]["url"].partition("uuid=")[2]
        blob = left.blobs.find(uuid.replace("-", ""))
        assert blob is not None
        assert blob.subject == f"Media/{one['id']}"
        assert b"".join(left.blobs.read(blob)) == b"x" * 100
