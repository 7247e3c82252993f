"""The story of a citizen with COPD, from the first definition to the last status.

The steps are those of ``fyr demo``; each of them fails when the server answers otherwise.
Here is what else came of them: what subscribers heard, what the national notification
service is to be told, what analysts find, what histories say.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fyr.config.load import load
from fyr.core.testing.elasticsearch import available as elasticsearch_available
from fyr.core.testing.elasticsearch import running_elasticsearch
from fyr.core.testing.minio import available as minio_available
from fyr.core.testing.minio import running_minio
from fyr.core.testing.mosquitto import free_port, mosquitto_command, running_mosquitto
from fyr.core.testing.servers import absent
from fyr.core.testing.subscriber import Subscriber, subscriber
from fyr.plugins.demo.stage import Clock, playing
from fyr.plugins.demo.steps import STEPS, tell
from fyr.plugins.demo.story import DAYS, NUMBER, Story

EXAMPLE = Path(__file__).parents[2] / "config/examples/demo.toml"
#: A loopback address for each service, as if each had a host of its own.
APART = {
    name: f"127.0.0.{number}"
    for number, name in enumerate(
        [
            *["patient", "organization", "careplan", "plan", "questionnaire"],
            *["library", "measurement", "task", "terminology"],
        ],
        start=11,
    )
}
TOPICS = {
    *["ehealth-patient", "ehealth-library", "ehealth-questionnaire"],
    *["ehealth-activitydefinition", "ehealth-plandefinition"],
    *["ehealth-episodeofcare", "ehealth-episodeofcare.status", "ehealth-consent"],
    *["ehealth-careplan", "ehealth-careplan.status", "ehealth-procedurerequest"],
    *["ehealth-provenance.measurement-received"],
    *["ehealth-provenance.measurement-processed"],
    *["ehealth-procedurerequest.measurement-missing", "ehealth-clinicalimpression"],
    *["ehealth-task", "ehealth-task.responsible", "ehealth-message"],
}


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Subscriber]:
    """Somebody who hears all events of a broker."""
    if mosquitto_command() is None:
        absent("mosquitto", "apt-get install mosquitto brings it")
    with running_mosquitto(tmp_path) as broker, subscriber(broker.port) as made:
        made.url = broker.url  # type: ignore[attr-defined]
        yield made


def options(folder: Path, heard: Any) -> dict[str, str]:
    port = free_port()
    return {
        "FYR_DATA_DIR": str(folder / "data"),
        "FYR_SERVER__PORT": str(port),
        "FYR_MESSAGES__URL": heard.url,
        "FYR_PLUGIN__NOTIFICATIONS__FILE": str(folder / "nas.jsonl"),
    }


def apart(request: pytest.FixtureRequest, given: dict[str, str]) -> dict[str, str]:
    """Give the options of real servers, and of services with base URLs of their own."""
    for why in (minio_available(), elasticsearch_available()):
        if why:
            absent("minio or elasticsearch", why)
    minio = request.getfixturevalue("minio")
    index = request.getfixturevalue("elasticsearch")
    urls = {
        name: {"public_url": f"http://{host}:{given['FYR_SERVER__PORT']}/{name}/fhir"}
        for name, host in APART.items()
    }
    return {
        **given,
        "FYR_STORE__URL": request.getfixturevalue("postgresql").new_database(),
        "FYR_BLOBS__URL": f"s3+http://{minio.endpoint}/{minio.new_bucket()}",
        "FYR_BLOBS__ACCESS_KEY": minio.access_key,
        "FYR_BLOBS__SECRET_KEY": minio.secret_key,
        "FYR_REPORTING__URL": index.url,
        "FYR_REPORTING__INDEX_PREFIX": index.new_prefix(),
        "FYR_REPORTING__REPLICAS": "0",
        "FYR_SERVICES": json.dumps(urls),
    }


@pytest.fixture(scope="session")
def minio() -> Iterator[Any]:
    with running_minio() as server:
        yield server


@pytest.fixture(scope="session")
def elasticsearch() -> Iterator[Any]:
    with running_elasticsearch() as server:
        yield server


@pytest.mark.parametrize("where", ["all in one", "apart"])
def test_the_story_of_a_citizen_with_copd(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    heard: Subscriber,
    where: str,
) -> None:
    given = options(tmp_path, heard)
    if where == "apart":
        given = apart(request, given)
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    with playing(load(EXAMPLE), Clock()) as stage:
        story = Story(stage)

        told = {step.name: sentence for step, sentence in tell(story)}

        assert list(told) == [step.name for step in STEPS]
        assert told["trigger"].endswith("on-hold -> active")
        assert told["finish"].endswith("planned -> active -> finished")
        the_team_had_what_it_was_to_have(told["triage"])
        what_is_kept_says_how_it_came(story)
        analysts_count(story)
    subscribers_heard_all_of_it(heard)
    the_notification_service_is_told(tmp_path / "nas.jsonl")


def the_team_had_what_it_was_to_have(told: str) -> None:
    """Two red values and a red answer, a day on which nothing came, answers in no range."""
    assert "3 MeasurementForAssessment," in told
    assert "2 MissingMeasurementResolving" in told
    assert "1 MeasurementForAssessmentNotTriaged" in told


def what_is_kept_says_how_it_came(story: Story) -> None:
    registrar = story.people["Nurse"]
    plan = registrar.does("GET", story.urls["careplan"])
    assert plan["status"] == "completed"
    assert history_of(plan, "careplan-statusHistory") == [
        "draft",
        "active",
        "completed",
    ]
    states = {
        code: history_of(one, "servicerequest-statusHistory")
        for code, one in story.requests.items()
    }
    assert sorted(states.values()) == [
        ["draft", "active", "completed"],
        ["draft", "active", "completed"],
        ["on-hold", "active", "completed"],
    ]
    assert len(story.observations) == DAYS - 1


def history_of(resource: Any, name: str) -> list[str]:
    found = []
    for one in resource["extension"]:
        if one["url"].endswith(name):
            (status,) = [part for part in one["extension"] if part["url"] == "status"]
            found.append(status["valueCodeableConcept"]["coding"][0]["code"])
    return found


def analysts_count(story: Story) -> None:
    """The index knows each measurement, and which of them does not count."""
    privileges = "report-query,report-non-anonymized"
    analyst = story.person("Analyst", "practitioner", privileges=privileges)
    question = {
        "from": "Observation",
        "groupBy": [{"terms": "status"}],
        "metrics": {"n": {"count": True}},
    }
    answer = analyst.does("POST", f"{story.stage.url}/reporting/query", question)
    counted = {row["status"]: row["n"] for row in answer["rows"]}

    # Saturation on 13 days and once again, the pulse from the third day on.
    assert counted == {"final": 13 + 1 + 11 - 1, "entered-in-error": 1}


def subscribers_heard_all_of_it(heard: Subscriber) -> None:
    topics = {
        one.topic.removeprefix("fyr/events/").replace("/", ".") for one in heard.heard
    }
    assert set(TOPICS) <= topics, set(TOPICS) - topics
    counted = Counter(one.topic for one in heard.heard)
    assert counted["fyr/events/ehealth-procedurerequest/measurement-missing"] == 2


def the_notification_service_is_told(file: Path) -> None:
    told = [json.loads(line) for line in file.read_text().splitlines()]
    topics = Counter(one["topic"].rpartition(":")[2] for one in told)

    assert topics["episodeofcare.created"] == 1
    assert topics["episodeofcare.stopped"] == 1
    assert topics["careplan.created"] == 1
    assert topics["careplan.stopped"] == 1


def test_the_command_tells_each_step_in_a_line(tmp_path: Path) -> None:
    own = {"FYR_SERVER__PORT": str(free_port()), "FYR_DATA_DIR": str(tmp_path)}
    fyr = Path(sys.executable).with_name("fyr")
    command = [fyr, "demo", "--config", EXAMPLE]

    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **own}, check=False
    )

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    steps = [line for line in lines if line.startswith("[")]
    assert len(steps) == len(STEPS)
    assert steps[-2].endswith("the episode went planned -> active -> finished.")
    assert "1 entered-in-error" in steps[-1]
    assert "careplan.stopped" in steps[-1]
    # Nobody's number is told, though it is nobody's.
    assert NUMBER not in done.stdout + done.stderr
