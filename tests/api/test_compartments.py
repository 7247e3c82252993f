"""Compartments over HTTP: https://hl7.org/fhir/R4/http.html#vsearch."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from fyr.core.testing.client import Client

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def owner(client: Client, patient: dict[str, Any]) -> str:
    """The path of a patient with three observations and an encounter."""
    path = f"Patient/{patient['id']}"
    for code in ("a", "b", "b"):
        client.create(
            {
                "resourceType": "Observation",
                "status": "final",
                "code": {"coding": [{"code": code}]},
                "subject": {"reference": path},
            }
        )
    client.create(
        {
            "resourceType": "Encounter",
            "status": "planned",
            "class": {"code": "AMB"},
            "subject": {"reference": path},
        }
    )
    return path


def kinds(bundle: Any) -> list[str]:
    return sorted(one["resource"]["resourceType"] for one in bundle.get("entry", []))


def test_a_type_is_searched_in_a_compartment(client: Client, owner: str) -> None:
    answer = client.get(f"{owner}/Observation?code=b")

    assert answer.status == 200
    assert (answer.json["total"], len(answer.resources)) == (2, 2)
    assert answer.json["link"] == [
        {"relation": "self", "url": f"http://localhost/fhir/{owner}/Observation?code=b"}
    ]


def test_all_types_are_searched_in_a_compartment(client: Client, owner: str) -> None:
    everything = client.get(f"{owner}/*").json
    some = client.get(f"{owner}/*?_type=Encounter,Patient").json

    assert kinds(everything) == ["Encounter", *["Observation"] * 3, "Patient"]
    assert kinds(some) == ["Encounter", "Patient"]
    assert some["link"][0]["url"].endswith(f"{owner}/*?_type=Encounter,Patient")


def test_the_next_page_is_in_the_compartment_too(client: Client, owner: str) -> None:
    seen: list[str] = []
    path = f"{owner}/Observation?_count=2"
    while path:
        answer = client.get(path)
        assert answer.status == 200
        seen += [one["id"] for one in answer.resources]
        links = {one["relation"]: one["url"] for one in answer.json["link"]}
        url = urlsplit(links.get("next", ""))
        assert not url.path or url.path == f"/fhir/{owner}/Observation"
        path = f"{url.path}?{url.query}" if url.path else ""

    assert len(seen) == len(set(seen)) == 3


@pytest.mark.parametrize("kind", ["Observation", "*"])
def test_a_form_searches_in_a_compartment(
    client: Client, owner: str, kind: str
) -> None:
    path = f"{owner}/{kind}/_search?_type=Observation"
    answer = client.request("POST", path, body=b"_total=accurate", headers=FORM)

    assert answer.status == 200
    assert kinds(answer.json) == ["Observation"] * 3
    self_url = answer.json["link"][0]["url"]
    assert self_url.endswith(f"{owner}/{kind}?_type=Observation&_total=accurate")


def test_an_entry_of_a_batch_searches_in_a_compartment(
    client: Client, owner: str
) -> None:
    urls = [f"{owner}/Observation?code=a", f"{owner}/*"]
    entries = [{"request": {"method": "GET", "url": url}} for url in urls]
    batch = {"resourceType": "Bundle", "type": "batch", "entry": entries}

    answer = client.post("", batch)

    one, many = answer.resources
    assert (one["total"], many["total"]) == (1, 5)
    assert one["link"][0]["url"].endswith(urls[0])


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("Observation/1/Patient", 404, "Observation is no compartment"),
        ("Patients/1/Observation", 404, "no resource type Patients"),
        ("Patient/1/Observatio", 404, "did you mean Observation?"),
        ("Patient/1/Medication", 400, "never in the compartment of a Patient"),
        ("Patient/1/*?_type=Medication", 400, "'Medication' cannot be searched here"),
        ("Patient/1/observation", 404, "nothing is served below"),
        ("Patient/a_b/Observation", 404, "is not an id"),
        ("Patient/1/Observation?cod=1", 400, "did you mean 'code'?"),
    ],
)
def test_what_is_no_compartment_is_said(
    client: Client, path: str, status: int, words: str
) -> None:
    answer = client.get(path)

    assert answer.status == status
    assert words in answer.issues[0]


def test_a_compartment_is_only_searched(client: Client, owner: str) -> None:
    answer = client.post(f"{owner}/Observation", {"resourceType": "Observation"})

    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_the_statement_lists_the_compartments(client: Client) -> None:
    (rest,) = client.get("metadata").json["rest"]

    assert [url.rpartition("/")[2] for url in rest["compartment"]] == [
        "device",
        "encounter",
        "patient",
        "practitioner",
        "relatedPerson",
    ]
