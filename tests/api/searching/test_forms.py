"""Searches over HTTP by URL and by form, and of several types: https://hl7.org/fhir/R4/http.html#search."""

from base64 import b64decode
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from fyr.core.testing.client import Client

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def self_of(answer: Any) -> str:
    links = {one["relation"]: one["url"] for one in answer.json["link"]}
    return str(links["self"])


def test_a_form_and_the_url_are_one_search(client: Client, city: str) -> None:
    body = f"address-city={city}&_total=accurate".encode()

    answer = client.request("POST", "Patient/_search?_count=1", body=body, headers=FORM)

    assert answer.status == 200
    assert (answer.json["total"], len(answer.resources)) == (2, 1)
    again = client.get(local(self_of(answer)))
    assert again.resources == answer.resources
    assert again.json["total"] == 2


def test_a_form_searches_all_types_too(client: Client, city: str) -> None:
    path = "_search?_type=Patient"
    body = f"address-city={city}".encode()

    answer = client.request("POST", path, body=body, headers=FORM)

    assert answer.json["total"] == 2
    assert self_of(answer).endswith("&_type=Patient")
    assert client.get(local(self_of(answer))).json["total"] == 2


def local(url: str) -> str:
    return url.removeprefix("http://localhost/fhir").lstrip("/")


CPR = "0101501234"


def sent_by_form(client: Client, path: str, form: dict[str, str]) -> Any:
    body = urlencode(form).encode()
    return client.request("POST", path, body=body, headers=FORM)


@pytest.mark.parametrize("path", ["Patient/_search", "_search?_type=Patient"])
def test_what_is_posted_is_in_no_link(client: Client, path: str) -> None:
    made = [
        client.create(
            {
                "resourceType": "Patient",
                "identifier": [{"system": "urn:oid:1.2.208.176.1.2", "value": CPR}],
                "name": [{"family": family}],
            }
        ).json["id"]
        for family in "abc"
    ]
    form = {
        "identifier": f"urn:oid:1.2.208.176.1.2|{CPR}",
        "_count": "1",
        "_sort": "identifier",
        "_total": "accurate",
    }

    answer = sent_by_form(client, path, form)
    found, seen = [], 0
    while True:
        links = {one["relation"]: one["url"] for one in answer.json["link"]}
        for url in links.values():
            assert CPR not in url
            # Nor in what the parts of the link are made of.
            for name, value in parse_qsl(url.partition("?")[2]):
                if name not in ("_posted", "_cursor"):
                    continue
                padded = value.encode() + b"=" * (-len(value) % 4)
                assert CPR.encode() not in b64decode(padded, altchars=b"-_")
        assert answer.json["total"] >= 3
        found += [one["id"] for one in answer.resources]
        seen += 1
        if "next" not in links:
            break
        answer = client.get(local(links["next"]))
        assert answer.status == 200, answer.json

    assert len(found) == len(set(found)) == seen
    assert set(made) <= set(found)


@pytest.mark.parametrize("change", ["", "x"])
def test_a_sealed_search_is_opened_where_it_was_made_only(
    client: Client, change: str
) -> None:
    answer = sent_by_form(client, "Patient/_search", {"name": "x"})
    query = self_of(answer).partition("?")[2]

    there = client.get(f"Patient?{query}{change}")
    elsewhere = client.get(f"Practitioner?{query}{change}")

    assert there.status == (400 if change else 200)
    assert elsewhere.status == 400
    assert "another search" in elsewhere.issues[0]


def test_a_sealed_search_is_as_lenient_as_the_form(client: Client) -> None:
    form = urlencode({"name": CPR, "nme": CPR, "_sort": "name,nme"}).encode()
    headers = {**FORM, "Prefer": "handling=lenient"}
    answer = client.request("POST", "Patient/_search", body=form, headers=headers)

    again = client.get(local(self_of(answer)))

    assert (answer.status, again.status) == (200, 200)
    assert CPR not in self_of(answer)
    assert self_of(answer).endswith("&_sort=name")


def test_several_types_are_searched_by_url(client: Client, city: str) -> None:
    answer = client.get(
        f"?_type=Patient,Person&address-city={city}&_sort=-_lastUpdated"
    )

    assert answer.json["total"] == 2
    assert {one["resourceType"] for one in answer.resources} == {"Patient"}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("_filter=gender+sa+x", "operator 'sa' cannot be answered"),
        ("_list=$current-problems", "functional list"),
        ("_sort=famly", "did you mean 'family'"),
        ("_include:again=Patient:organization", "no modifier 'again'"),
        ("_revinclude:iterate=*", "say which"),
        ("_inclde=x", "did you mean '_include'"),
        ("_elements=naem", "did you mean 'name'"),
        ("_type:not=Patient", "_type has no modifier"),
        ("_filter=_text+co+x", "'_text' stands beside a filter"),
        ("_has:Observation:subjct:code=x", "did you mean 'subject'"),
        ("organization.nme=x", "nothing that 'organization' leads to"),
        ("_count:x=1", "_count has no modifier"),
        ("_query=x", "'_query'"),
        ("phonetic=x", "compares by sound"),
    ],
)
def test_what_cannot_be_answered_is_refused_or_ignored(
    client: Client, city: str, query: str, says: str
) -> None:
    path = f"Patient?address-city={city}&{query}"

    strict, lenient = client.get(path), client.get(path, Prefer="handling=lenient")

    assert strict.status == 400
    assert says in strict.issues[0]
    assert (lenient.status, lenient.json["total"]) == (200, 2)
    (outcome,) = [
        one["resource"]
        for one in lenient.json["entry"]
        if one["search"]["mode"] == "outcome"
    ]
    assert says in outcome["issue"][0]["diagnostics"]
    assert self_of(lenient).endswith(f"Patient?address-city={city}")


@pytest.mark.parametrize("posted", [False, True])
def test_of_several_types_too_the_self_link_has_what_was_understood(
    client: Client, city: str, posted: bool
) -> None:
    query = f"_type=Patient,Person&address-city={city}&gendr=male&_sort=nme,-_id"
    lenient = {"Prefer": "handling=lenient"}
    if posted:
        answer = client.request(
            "POST", "_search", body=query.encode(), headers={**FORM, **lenient}
        )
    else:
        answer = client.get(f"?{query}", **lenient)
    again = client.get(local(self_of(answer)))

    assert [answer.status, answer.json["total"]] == [200, 2]
    told = [
        issue["diagnostics"]
        for one in answer.json["entry"]
        if one["search"]["mode"] == "outcome"
        for issue in one["resource"]["issue"]
    ]
    assert ["'gendr'" in told[0], "'nme'" in told[1], len(told)] == [True, True, 2]
    # Asked again, strictly: nothing is left that would be refused.
    assert [again.status, again.json["total"]] == [200, 2]
    assert [one["id"] for one in again.resources] == [
        one["id"] for one in answer.resources if "id" in one
    ]
    assert self_of(answer).endswith("_sort=-_id")


def test_types_of_the_form_and_of_the_url_are_searched(
    client: Client, city: str
) -> None:
    body = f"_type=Person&address-city={city}".encode()

    answer = client.request("POST", "_search?_type=Patient", body=body, headers=FORM)

    assert answer.json["total"] == 2
    again = client.get(local(self_of(answer)))
    assert again.json["total"] == 2
    assert "_type=Patient" in self_of(answer)


def test_what_stands_in_the_url_stays_there(client: Client, city: str) -> None:
    path = f"Patient/_search?address-city={city}&_summary=true"

    answer = client.request("POST", path, body=b"gender:missing=true", headers=FORM)

    assert answer.json["total"] == 2
    assert f"&address-city={city}&_summary=true" in self_of(answer)
    assert "gender" not in self_of(answer)
    assert client.get(local(self_of(answer))).json["total"] == 2
