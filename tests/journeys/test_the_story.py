"""The story of a citizen with COPD, from the first definition to the last status.

The steps are those of ``fyr demo``; each of them fails when the server answers otherwise.
Here is what else came of them: what subscribers heard, what the national notification
service is to be told, what analysts find, what histories say. ``the_story.toml`` has it.
"""

import json
import os
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from fyr.config.load import load
from fyr.core.testing.elasticsearch import available as elasticsearch_available
from fyr.core.testing.elasticsearch import running_elasticsearch
from fyr.core.testing.minio import available as minio_available
from fyr.core.testing.minio import running_minio
from fyr.core.testing.mosquitto import mosquitto_command, running_mosquitto
from fyr.core.testing.ports import free_port
from fyr.core.testing.servers import absent
from fyr.plugins.demo import resources as r
from fyr.plugins.demo.clock import Clock, SharedClock
from fyr.plugins.demo.listening import NAS, Heard
from fyr.plugins.demo.stage import playing
from fyr.plugins.demo.steps import STEPS, Told, tell
from fyr.plugins.demo.story import DAYS, NUMBER, Story, nurse_of

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "config/examples/demo.toml"
EXPECTED = tomllib.loads((HERE / "the_story.toml").read_text())
#: What the activities are called in what is expected.
NAMES = {
    r.SATURATION: "saturation",
    r.PULSE: "pulse",
    r.ANSWERS: "questions",
    r.PHOTO: "photo",
}
ADMINISTRATIVE = ("patient", "organization", "terminology")
CLINICAL = (
    *("careplan", "plan", "questionnaire", "library", "measurement", "task"),
    *("device", "document-query", "document-transformation"),
)
#: A loopback address for each service, as if each had a host of its own.
HOSTS = {
    name: f"127.0.0.{number}"
    for number, name in enumerate((*ADMINISTRATIVE, *CLINICAL), start=11)
}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """The URL of a broker that is not Fyr's own."""
    if mosquitto_command() is None:
        absent("mosquitto", "apt-get install mosquitto brings it")
    with running_mosquitto(tmp_path) as running:
        yield running.url


@pytest.fixture(scope="session")
def minio() -> Iterator[Any]:
    with running_minio() as server:
        yield server


@pytest.fixture(scope="session")
def elasticsearch() -> Iterator[Any]:
    with running_elasticsearch() as server:
        yield server


def all_in_one(_request: pytest.FixtureRequest, folder: Path) -> dict[str, str]:
    return {
        "FYR_DATA_DIR": str(folder / "data"),
        "FYR_SERVER__PORT": str(free_port()),
        "FYR_PLUGIN__NOTIFICATIONS__FILE": str(folder / "nas.jsonl"),
    }


def on_servers(request: pytest.FixtureRequest, folder: Path) -> dict[str, str]:
    """Give the options of real servers."""
    for why in (minio_available(), elasticsearch_available()):
        if why:
            absent("minio or elasticsearch", why)
    minio = request.getfixturevalue("minio")
    index = request.getfixturevalue("elasticsearch")
    return {
        **all_in_one(request, folder),
        "FYR_STORE__URL": request.getfixturevalue("postgresql").new_database(),
        "FYR_MESSAGES__URL": request.getfixturevalue("broker"),
        "FYR_BLOBS__URL": f"s3+http://{minio.endpoint}/{minio.new_bucket()}",
        "FYR_BLOBS__ACCESS_KEY": minio.access_key,
        "FYR_BLOBS__SECRET_KEY": minio.secret_key,
        "FYR_REPORTING__URL": index.url,
        "FYR_REPORTING__INDEX_PREFIX": index.new_prefix(),
        "FYR_REPORTING__REPLICAS": "0",
    }


def apart(request: pytest.FixtureRequest, folder: Path) -> dict[str, str]:
    """Give each service a host of its own, all of them one process."""
    given = on_servers(request, folder)
    port = given["FYR_SERVER__PORT"]
    return {**given, "FYR_SERVICES": services(dict.fromkeys(HOSTS, port), [*HOSTS])}


def services(ports: dict[str, str], served: Sequence[str]) -> str:
    """Say where services are, and which of them a process serves."""
    urls = {
        name: {
            "public_url": f"http://{HOSTS[name]}:{port}/{name}/fhir",
            "enabled": name in served,
        }
        for name, port in ports.items()
    }
    return json.dumps(urls)


@pytest.mark.parametrize("where", [all_in_one, on_servers, apart])
def test_the_story_of_a_citizen_with_copd(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    where: Any,
) -> None:
    for name, value in where(request, tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FYR_SERVICES__FHIR__ENABLED", "false")

    all_goes_as_told(Clock(), tmp_path)


def test_the_story_in_processes_of_their_own(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One serves administrative services, one clinical ones, a third one works."""
    given = on_servers(request, tmp_path)
    ports = {
        **dict.fromkeys(ADMINISTRATIVE, str(free_port())),
        **dict.fromkeys(CLINICAL, str(free_port())),
    }
    clock = tmp_path / "ahead"
    with ExitStack() as running:
        for served in ([], ADMINISTRATIVE, CLINICAL):
            port = ports[served[0]] if served else given["FYR_SERVER__PORT"]
            mine = {
                **given,
                "FYR_SERVER__PORT": port,
                "FYR_SERVICES": services(ports, served),
                "FYR_SERVICES__FHIR__ENABLED": "false",
                "FYR_SERVICES__REPORTING__ENABLED": json.dumps(not served),
            }
            if served:
                running.enter_context(a_process(mine, clock))
                continue
            for name, value in mine.items():
                monkeypatch.setenv(name, value)

        all_goes_as_told(SharedClock(clock), tmp_path)


@contextmanager
def a_process(given: dict[str, str], clock: Path) -> Iterator[None]:
    """Serve in a process of its own; it ends with its input."""
    command = [sys.executable, HERE / "part_of_the_story.py", EXAMPLE, clock]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **given},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield


def all_goes_as_told(clock: Clock, folder: Path) -> None:
    with playing(load(EXAMPLE), clock) as stage:
        story = Story(stage)

        steps = list(tell(story))

        told = {one.step.name: one.told for one in steps}
        assert list(told) == [step.name for step in STEPS]
        assert told["trigger"].endswith("on-hold -> active")
        assert told["finish"].endswith("planned -> active -> finished")
        the_team_had_what_it_was_to_have(told["triage"])
        each_step_is_told_once_and_in_order(steps, story)
        what_is_kept_says_how_it_came(story)
        references_lead_to_the_service_that_has_it(story)
        analysts_count(story)
    the_file_has_what_was_published(folder / "nas.jsonl", steps)


def the_team_had_what_it_was_to_have(told: str) -> None:
    """Two red values and a red answer, a day on which nothing came, a photo, odd answers."""
    assert "3 MeasurementForAssessment " in told
    assert "2 MissingMeasurementResolving " in told
    assert "2 MeasurementForAssessmentNotTriaged " in told


def each_step_is_told_once_and_in_order(steps: list[Told], story: Story) -> None:
    requests = {
        f"ServiceRequest/{one['id']}": f"ServiceRequest {NAMES[code]}"
        for code, one in story.requests.items()
    }
    versions: dict[str, int] = defaultdict(int)
    for step in steps:
        assert told_of(step.heard, requests) == expected_of(step.step.name), step.step
        for one in step.heard:
            if not one.name.startswith(NAS) and one.body["resourceVersion"]:
                version = int(one.body["resourceVersion"])
                assert version >= versions[one.about], one
                versions[one.about] = version
    assert set(EXPECTED["steps"]) <= {one.step.name for one in steps}


def told_of(heard: Sequence[Heard], names: dict[str, str]) -> Counter[Any]:
    """Count resources of which the same is told in the same order."""
    events: dict[str, list[str]] = defaultdict(list)
    notified: dict[str, list[str]] = defaultdict(list)
    for one in heard:
        if one.name.startswith(NAS):
            notified[one.about].append(one.name.removeprefix(NAS))
        else:
            events[one.about].append(f"{one.name} {one.body['eventType']}")
    return Counter(
        (
            names.get(about, about.partition("/")[0]),
            tuple(events[about]),
            tuple(notified[about]),
        )
        for about in {**events, **notified}
    )


def expected_of(step: str) -> Counter[Any]:
    rows = EXPECTED["steps"].get(step, ())
    counted: Counter[Any] = Counter()
    for row in rows:
        key = (row["about"], tuple(row["told"]), tuple(row.get("nas", ())))
        counted[key] += row.get("times", 1)
    return counted


def what_is_kept_says_how_it_came(story: Story) -> None:
    nurse = nurse_of(story)
    kept = {
        "EpisodeOfCare": nurse.does("GET", story.urls["episode"]),
        "CarePlan": nurse.does("GET", story.urls["careplan"]),
        **{
            f"ServiceRequest {NAMES[code]}": one for code, one in story.requests.items()
        },
    }
    names = {
        story.urls["team"]: "KOL-teamet",
        story.urls["clinic"]: "Lungeambulatoriet",
    }
    expected = EXPECTED["histories"]

    assert {name: states_of(one) for name, one in kept.items()} == expected["status"]
    assert {
        name: [names[one] for one in teams_of(kept[name])] for name in expected["team"]
    } == expected["team"]
    assert len(story.observations) == DAYS - 1
    both = [nurse.does("GET", story.urls[one]) for one in ("first plan", "plan")]
    states = {one["version"]: one["status"] for one in both}
    assert states == EXPECTED["versions"]["PlanDefinition"]


def states_of(resource: Any) -> list[str]:
    """Tell the status history, an element or extensions."""
    if "statusHistory" in resource:
        return [one["status"] for one in resource["statusHistory"]]
    return [
        part["valueCodeableConcept"]["coding"][0]["code"]
        for part in parts_of(resource, "statusHistory", "status")
    ]


def teams_of(resource: Any) -> list[str]:
    return [
        part["valueReference"]["reference"]
        for part in parts_of(resource, "teamHistory", "careTeam")
    ]


def parts_of(resource: Any, name: str, wanted: str) -> Iterator[Any]:
    for one in resource.get("extension", ()):
        if one["url"].endswith(name):
            yield from (part for part in one["extension"] if part["url"] == wanted)


def references_lead_to_the_service_that_has_it(story: Story) -> None:
    """Whichever process serves it: who follows a reference reads what it names."""
    nurse = nurse_of(story)
    plan = nurse.does("GET", story.urls["careplan"])
    assert plan["subject"]["reference"] == story.urls["patient"]
    assert plan["instantiatesCanonical"] == [story.urls["plan"]]
    led = [plan["subject"], *plan["careTeam"], *plan["addresses"]]
    for one in led:
        kind, identity = one["reference"].split("/")[-2:]
        found = nurse.does("GET", one["reference"])
        assert (found["resourceType"], found["id"]) == (kind, identity)


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


def the_file_has_what_was_published(file: Path, steps: Sequence[Told]) -> None:
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    published = [
        one.body for step in steps for one in step.heard if one.name.startswith(NAS)
    ]

    assert sorted(one["id"] for one in lines) == sorted(one["id"] for one in published)


def test_the_command_tells_each_step_and_what_subscribers_hear(tmp_path: Path) -> None:
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
    opened = lines.index(
        next(one for one in steps if "episode of care is opened" in one)
    )
    assert "MQTT ehealth-episodeofcare, ehealth-episodeofcare.team" in lines[opened + 1]
    assert lines[opened + 2].strip() == "NAS  episodeofcare.created"
    # Nobody's number is told, though it is nobody's.
    assert NUMBER not in done.stdout + done.stderr
