"""A plan is applied while the process is killed: all of it is there, or nothing."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from fyr.core.testing.process import fyr_output, fyr_process

ACTIVITIES = 20
#: Resources that the plan becomes: a care plan, one that is a part of it, activities.
MADE = ACTIVITIES + 2

#: Kills the process, as a power cut would, where a file says: after so many resources of a
#: transaction were stored, or once all is committed and before that is answered.
DEADLY = """
import os, signal
from pathlib import Path
from fyr.core import hookimpl

ARMED = Path("kill-at")
stored_so_far = 0

def die():
    ARMED.unlink()
    os.kill(os.getpid(), signal.SIGKILL)

@hookimpl
def before_interaction(context):
    global stored_so_far
    if context.operation == "apply":
        stored_so_far = 0

@hookimpl
def stored(new):
    global stored_so_far
    if new and new["resourceType"] in ("CarePlan", "ServiceRequest"):
        stored_so_far += 1
        if ARMED.exists() and ARMED.read_text() == str(stored_so_far):
            die()

@hookimpl
def completed(context):
    if context.operation == "apply" and ARMED.exists():
        if ARMED.read_text() == "committed":
            die()
"""


def definitions() -> Iterator[dict[str, Any]]:
    yield {"resourceType": "Patient", "id": "p"}
    yield {
        "resourceType": "EpisodeOfCare",
        "id": "e",
        "status": "planned",
        "patient": {"reference": "Patient/p"},
    }
    for number in range(ACTIVITIES):
        yield {
            "resourceType": "ActivityDefinition",
            "id": f"a{number}",
            "status": "active",
            "code": {"text": "measure"},
        }
    half = ACTIVITIES // 2
    led = [f"ActivityDefinition/a{number}" for number in range(ACTIVITIES)]
    for name, ends in (
        ("part", led[half:]),
        ("whole", [*led[:half], "PlanDefinition/part"]),
    ):
        yield {
            "resourceType": "PlanDefinition",
            "id": name,
            "status": "active",
            "action": [{"definitionCanonical": one} for one in ends],
        }


@pytest.fixture
def settings(store_url: str, tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "deadly.py").write_text(DEADLY)
    return {
        "PLUGINS__FOLDER": str(folder),
        "STORE__URL": store_url,
        "PLUGINS__ENABLED": '["search", "administrative", "clinical"]',
        "SERVER__WORKER": "false",
        "SERVER__WORKERS": "1",
        "LOG__LEVEL": "error",
    }


class Clinic:
    """A server that dies when it is told to, and what is left of it."""

    def __init__(self, http: httpx.Client, folder: Path, settings: Any) -> None:
        self._http, self._folder, self._settings = http, folder, settings

    def apply(self, kill_at: str = "") -> httpx.Response | None:
        """Apply the plan; ``None``: nobody answered, because the server was killed."""
        if kill_at:
            (self._folder / "kill-at").write_text(kill_at)
        given = [
            {"name": "planDefinition", "valueString": "PlanDefinition/whole"},
            {"name": "episodeOfCare", "valueString": "EpisodeOfCare/e"},
        ]
        sent = {"resourceType": "Parameters", "parameter": given}
        try:
            return self._http.post("/careplan/fhir/$apply", json=sent)
        except httpx.TransportError:
            return None

    def count(self, kind: str) -> int:
        """Count what is stored; wait for a new process, if the last one was killed."""
        for _ in range(2400):
            try:
                answer = self._http.get(f"/fhir/{kind}", params={"_summary": "count"})
                return int(answer.json()["total"])
            except httpx.TransportError:
                Event().wait(0.05)
        raise AssertionError("no process came back")

    def told(self) -> Counter[str]:
        """Count the events of each type."""
        printed = fyr_output(
            self._folder, "events", "tail", "--json", settings=self._settings
        )
        return Counter(json.loads(line)["type"] for line in printed.splitlines())


@pytest.fixture
def clinic(tmp_path: Path, settings: dict[str, str]) -> Iterator[Clinic]:
    with fyr_process(tmp_path, settings=settings) as fyr:
        with httpx.Client(base_url=fyr.url, timeout=60) as http:
            for one in definitions():
                answer = http.put(f"/fhir/{one['resourceType']}/{one['id']}", json=one)
                assert answer.status_code == 201, answer.text
            yield Clinic(http, tmp_path, settings)


def test_a_plan_is_applied_whole_or_not_at_all(clinic: Clinic) -> None:
    for at in (1, MADE // 2, MADE):
        assert clinic.apply(str(at)) is None
        assert clinic.count("CarePlan") == clinic.count("ServiceRequest") == 0
        told = clinic.told()
        assert told["CarePlan"] == told["ServiceRequest"] == 0

    assert clinic.apply("committed") is None
    assert (clinic.count("CarePlan"), clinic.count("ServiceRequest")) == (2, ACTIVITIES)

    answer = clinic.apply()
    assert answer is not None
    assert answer.status_code == 200
    told = clinic.told()
    assert (told["CarePlan"], told["ServiceRequest"]) == (4, 2 * ACTIVITIES)
