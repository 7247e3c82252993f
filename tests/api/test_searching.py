"""Searches over HTTP, by URL and by form: https://hl7.org/fhir/R4/http.html#search."""

from base64 import b64decode
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from fyr.core.testing.client import Client

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def city(client: Client) -> str:
    """The name of a city that two patients, and nobody else, live in."""
    made = [{"address": [{"city": "-"}], "resourceType": "Patient"} for _ in "ab"]
    first = client.create(made[0]).json["id"]
    name = f"city{first}".replace("-", "")
    for identity in (first, client.create(made[1]).json["id"]):
        address = [{"city": name}]
        client.update({"resourceType": "Patient", "id": identity, "address": address})
    return name


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
