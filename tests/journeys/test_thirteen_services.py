"""One treatment across the services, first on one host and then on hosts of their own.

Both deployments are the examples of ``config/examples/``, on one store.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fyr.config.load import load
from fyr.core.app import Application
from fyr.core.interactions.importing import Import
from fyr.core.testing.applications import application, client_of
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.minimal import complete

EXAMPLES = Path(__file__).parents[2] / "config/examples"
PROFILES = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
EPISODE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
TOGETHER, APART = "https://fyr.example.org", "https://careplan.example.org"


@contextmanager
def deployment(
    example: str, store_url: str, folder: Path, **options: Any
) -> Iterator[Application]:
    """Start an example on this machine, open to everybody."""
    url = store_url.replace(":///", f":///{folder}/") if "sqlite" in store_url else ""
    local = {
        "store.url": url or store_url,
        "data_dir": folder,
        "server.host": "127.0.0.1",
        "security.mode": "open",
        "log.level": "error",
        **options,
    }
    settings = load(EXAMPLES / f"{example}.toml", local)
    with application(settings, FakeClock()) as built:
        yield built


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("thirteen")


TEAM = "urn:uuid:0554191e-a45e-47ca-b267-a116af640a04"


def place(answer: Any) -> str:
    """Tell the URL of what was created."""
    assert answer.status == 201, answer.json
    url: str = answer.headers["location"]
    return url.split("/_history")[0]


def refers(url: str) -> dict[str, str]:
    return {"reference": url}


def test_a_treatment_goes_through_the_services_and_moves_with_them(
    store_url: str, folder: Path
) -> None:
    everything = {"services.fhir.enabled": True}
    with deployment("services", store_url, folder, **everything) as built:
        made = treat(built)
    with deployment("careplan", store_url, folder) as built:
        look_again(built, made)


def test_resources_are_loaded_where_no_service_has_everything(
    store_url: str, folder: Path
) -> None:
    with deployment("careplan", store_url, folder) as built:
        refused: list[Any] = []
        loading = Import(built, refused.append)
        for kind in ("Flag", "Task", "Communication"):
            loading.add(kind, complete(kind, {"id": "loaded"}))
        loading.finish()

        assert (loading.stored, refused) == (3, [])
        assert built.resources.read("Flag", "loaded") is not None


def treat(built: Application) -> dict[str, str]:
    """Plan, measure and ask for something; tell the URLs of what there is then."""
    wsgi = client_of(built).wsgi
    at = {one.name: Client(wsgi, f"/{one.path}") for one in built.services}
    made: dict[str, str] = {}
    # Made by operations that are not there yet.
    made["patient"] = _moved(place(at["fhir"].create(complete("Patient"))), "patient")
    organization = complete("Organization", {"name": "Ward"})
    made["organization"] = place(at["organization"].create(organization))
    team = complete(
        "CareTeam",
        {
            "identifier": [{"system": "urn:ietf:rfc:3986", "value": TEAM}],
            "reasonCode": [{"text": "COPD"}],
            "managingOrganization": [refers(made["organization"])],
        },
    )
    made["team"] = place(at["organization"].create(team))
    subject = {"subject": refers(made["patient"])}
    made["condition"] = place(at["careplan"].create(complete("Condition", subject)))
    episode = complete(
        "EpisodeOfCare",
        {
            "patient": refers(made["patient"]),
            "team": [refers(made["team"])],
            "diagnosis": [{"condition": refers(made["condition"])}],
        },
    )
    made["episode"] = _moved(place(at["fhir"].create(episode)), "careplan")
    of_episode = [{"url": EPISODE, "valueReference": refers(made["episode"])}]
    made["goal"], made["plan"] = plan(at["careplan"], made, of_episode)

    answers = {**subject, "extension": of_episode, "status": "completed"}
    response = complete("QuestionnaireResponse", answers)
    made["response"] = place(at["measurement"].create(response))
    task = complete("Task", {"focus": refers(made["response"])})
    task["owner"] = refers(made["team"])
    made["task"] = place(at["task"].create(task))

    found = at["task"].get("Task", {"focus": made["response"]})
    assert found.resources[0]["owner"] == refers(made["team"])
    assert found.json["entry"][0]["fullUrl"] == made["task"]
    by_episode = {"episodeOfCare": made["episode"]}
    (measured,) = at["measurement"].get("QuestionnaireResponse", by_episode).resources
    assert measured["subject"] == refers(made["patient"])
    assert {url.split("/")[3] for url in made.values()} == {
        "patient",
        "organization",
        "careplan",
        "measurement",
        "task",
    }
    assert all(url.startswith(TOGETHER) for url in made.values())
    return made


def plan(
    careplan: Client, made: dict[str, str], extension: list[Any]
) -> tuple[str, str]:
    """Make a goal and a care plan in one transaction."""
    goal = complete("Goal", {"subject": refers(made["patient"])})
    care_plan = complete(
        "CarePlan",
        {
            "subject": refers(made["patient"]),
            "careTeam": [refers(made["team"])],
            "addresses": [refers(made["condition"])],
            "goal": [refers("urn:uuid:7a7b2a2e-1111-4f7b-9c3d-0c2a0f6a1d01")],
            "extension": extension,
        },
    )
    entries = [
        {
            "fullUrl": f"urn:uuid:7a7b2a2e-111{number}-4f7b-9c3d-0c2a0f6a1d01",
            "resource": one,
            "request": {"method": "POST", "url": one["resourceType"]},
        }
        for number, one in enumerate((goal, care_plan), start=1)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = careplan.post("", bundle)
    assert answer.status == 200, answer.json
    places = [one["response"]["location"] for one in answer.json["entry"]]
    first, second = (one.split("/_history")[0] for one in places)
    return f"{TOGETHER}/careplan/fhir/{first}", f"{TOGETHER}/careplan/fhir/{second}"


def _moved(url: str, service: str) -> str:
    return url.replace("/fhir/", f"/{service}/fhir/")


def look_again(built: Application, made: dict[str, str]) -> None:
    """Find all of it at its new URLs, and by them."""
    careplan = Client(client_of(built).wsgi, "/fhir")
    new = {name: _apart(url) for name, url in made.items()}

    query = {"episodeOfCare": new["episode"], "_include": "CarePlan:goal"}
    found = careplan.get("CarePlan", query).json
    assert [one["fullUrl"] for one in found["entry"]] == [new["plan"], new["goal"]]
    kept = found["entry"][0]["resource"]
    assert kept["subject"] == refers(new["patient"])
    assert kept["careTeam"] == [refers(new["team"])]
    assert kept["addresses"] == [refers(new["condition"])]
    assert kept["goal"] == [refers(new["goal"])]
    assert kept["extension"][0]["valueReference"] == refers(new["episode"])
    assert found["link"][0]["url"].startswith(f"{APART}/fhir/CarePlan?episodeOfCare=")
    teams = careplan.get("EpisodeOfCare", {"team": new["team"]}).resources
    assert [one["patient"] for one in teams] == [refers(new["patient"])]
    # URLs that the deployment had before are strangers', as nobody named them.
    old = careplan.get("CarePlan", {"episodeOfCare": made["episode"]})
    assert old.json["total"] == 0
    for other in ("/organization/fhir", "/careplan/fhir", "/task/fhir"):
        assert careplan.get(f"{other}/metadata").status == 404


def _apart(url: str) -> str:
    """Tell where something is when each service has a host of its own."""
    service, rest = url.removeprefix(f"{TOGETHER}/").split("/fhir/")
    return f"https://{service}.example.org/fhir/{rest}"
