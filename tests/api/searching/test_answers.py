"""Searches over HTTP: what is found, counted and included, and what means nothing."""

from typing import Any
from urllib.parse import urlencode

import pytest

from fyr.core.testing.client import Client


def test_a_wrong_type_is_refused_to_lenient_clients_too(client: Client) -> None:
    answer = client.get("?_type=Patint", Prefer="handling=lenient")

    assert answer.status == 400
    assert "did you mean 'Patient'" in answer.issues[0]


def test_a_count_has_no_entries(client: Client, city: str) -> None:
    for query in ("_summary=count", "_count=0"):
        answer = client.get(f"Patient?address-city={city}&{query}")
        assert (answer.json["total"], "entry" in answer.json) == (2, False)
    history = client.get("Patient/_history?_summary=count")
    assert history.json["total"] >= 4
    assert "entry" not in history.json


def test_included_resources_are_marked(client: Client, city: str) -> None:
    owner = client.get(f"Patient?address-city={city}").resources[0]["id"]
    basic = {
        "resourceType": "Basic",
        "code": {"text": "x"},
        "subject": {"reference": f"Patient/{owner}"},
    }
    made = client.create(basic).json["id"]

    answer = client.get(f"Patient?_id={owner}&_revinclude=Basic:subject")

    modes = [(e["resource"]["id"], e["search"]["mode"]) for e in answer.json["entry"]]
    assert modes == [(owner, "match"), (made, "include")]
    assert answer.json["total"] == 1


def test_what_is_contained_is_found_by_chains_and_on_its_own(client: Client) -> None:
    code = f"code{client.create({'resourceType': 'Patient'}).json['id']}"
    medication = {
        "resourceType": "Medication",
        "id": "m",
        "code": {"coding": [{"code": code}]},
    }
    request = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "contained": [medication],
        "medicationReference": {"reference": "#m"},
        "subject": {"display": "x"},
    }
    made = client.create(request).json["id"]
    url = f"http://localhost/fhir/MedicationRequest/{made}"

    chained = client.get(f"MedicationRequest?medication.code={code}")
    alone = client.get(f"Medication?code={code}")
    whole = client.get(f"Medication?code={code}&_contained=true")
    inside = client.get(
        f"Medication?code={code}&_contained=both&_containedType=contained"
    )

    assert [one["id"] for one in chained.resources] == [made]
    assert alone.json["total"] == 0
    (entry,) = whole.json["entry"]
    assert (entry["fullUrl"], entry["search"]["mode"]) == (url, "match")
    assert entry["resource"]["resourceType"] == "MedicationRequest"
    (entry,) = inside.json["entry"]
    assert entry["fullUrl"] == f"{url}#m"
    assert entry["resource"] == medication
    assert entry["search"] == {"mode": "match"}


def test_filters_ask_for_pairs_for_places_and_for_what_refers(client: Client) -> None:
    patient = client.create({"resourceType": "Patient"}).json["id"]
    reference = {"reference": f"Patient/{patient}"}
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"code": "w"}]},
        "subject": reference,
        "valueQuantity": {"value": 70, "unit": "kg"},
    }
    made = client.create(observation).json["id"]
    position = {"latitude": -55.68, "longitude": 12.57}
    place = client.create({"resourceType": "Location", "position": position}).json["id"]

    def found(kind: str, text: str) -> list[str]:
        answer = client.get(f"{kind}?{urlencode({'_filter': text})}")
        assert answer.status == 200, answer.json
        return [one["id"] for one in answer.resources]

    mine = f"subject eq Patient/{patient} and"
    assert found("Observation", f"{mine} code-value-quantity eq w$gt69||kg") == [made]
    assert found("Observation", f"{mine} code-value-quantity eq w$gt71||kg") == []
    assert found("Location", "near eq -55.7|12.5|10|km") == [place]
    back = f"_has:Observation:subject:_id eq {made}"
    assert found("Patient", back) == [patient]
    assert found("Patient", f"_id eq {patient} and not ({back})") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("family", "{}"),
        ("family:contains", "{}"),
        *(("_filter", f'family {word} "{{}}"') for word in "eq ne co sw ew gt".split()),
    ],
)
def test_a_text_is_searched_for_by_as_much_as_can_be_told_apart(
    client: Client, name: str, value: str
) -> None:
    def answer(characters: int) -> Any:
        query = urlencode({name: value.format("x" * characters)})
        return client.get(f"Patient?{query}")

    assert answer(255).status == 200
    refused = answer(256)

    assert refused.status == 400
    told = refused.json["issue"][0]["diagnostics"]
    assert "'family' has more than 255 characters" in told


def test_a_long_text_is_found_by_what_is_in_the_part_that_is_kept(
    client: Client,
) -> None:
    family = "a" * 250 + "bbbbbb" + "c" * 20
    stored = client.create({"resourceType": "Patient", "name": [{"family": family}]})
    own = f"Patient?_id={stored.json['id']}&family:contains"

    assert len(client.get(f"{own}=ba").resources) == 0
    assert len(client.get(f"{own}={'a' * 240}bbbbbb").resources) == 1
    assert len(client.get(f"{own}=bc").resources) == 0


@pytest.mark.parametrize(
    "query",
    [
        "Patient?_include=Patient:organization:Practitioner",
        "Patient?_include=Patient:*:Observation",
        "Patient?_include:iterate=Observation:subject:Practitioner",
        "Practitioner?_revinclude=Observation:subject:Practitioner",
    ],
)
def test_an_include_of_what_a_reference_never_leads_to_is_refused(
    client: Client, query: str
) -> None:
    answer = client.get(query)

    assert answer.status == 400, answer.json
    assert "never leads to" in answer.json["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("name:=x", "'name:': a modifier is expected after ':'"),
        ("organization:.name=x", "a modifier is expected"),
        ("_has:Observation:subject:code:=x", "a modifier is expected"),
        ("_count:=2", "a modifier is expected"),
        ("_count=2&_count=3", "_count has 2 different values"),
        ("_total=none&_total=accurate", "_total has 2 different values"),
        ("_cursor=", "_cursor is empty"),
        ("_cursor=a&_cursor=b", "_cursor has 2 different values"),
        ("_query=x", "there are no named queries"),
        ("&".join(["_sort=name"] * 80), "_sort has more than 10 parameters"),
    ],
)
def test_what_means_nothing_is_refused_in_one_sentence(
    client: Client, query: str, says: str
) -> None:
    answer = client.get(f"Patient?{query}")

    assert answer.status == 400, answer.json
    (issue,) = answer.json["issue"]
    assert says in issue["diagnostics"]


def test_saying_the_same_twice_is_saying_it(client: Client) -> None:
    assert client.get("Patient?_count=0&_count=0&_summary=true").status == 200
