"""Text that would be SQL if it were ever put into a statement."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from fyr.core.testing.client import Client

INJECTIONS = [
    "' OR '1'='1",
    "x'; DROP TABLE resource; --",
    'x"; DROP TABLE resource; --',
    "1) OR 1=1 --",
    "x' UNION SELECT secret, 1, 1, 1 FROM search_link_key --",
    "\\'; SELECT pg_sleep(9); --",
    "$$; DROP TABLE resource; $$",
    "?; DROP TABLE resource",
    "%' OR 1=1 --",
    "x' AND randomblob(1000000000) --",
    "\u02bc; DROP TABLE resource; --",
]
PATHS = [
    "Patient?name={}",
    "Patient?name:contains={}",
    "Patient?name:exact={}",
    "Patient?_id={}",
    "Patient?identifier={}|{}",
    "Patient?identifier:of-type={}|{}|{}",
    "Patient?birthdate={}",
    "Patient?_lastUpdated={}",
    "Patient?general-practitioner={}",
    "Patient?general-practitioner:Practitioner.name={}",
    "Patient?_has:Observation:subject:code={}",
    "Patient?_sort={}",
    "Patient?_count={}",
    "Patient?_include={}",
    "Patient?_elements={}",
    "Patient?_cursor={}",
    "Patient?_filter={}",
    'Patient?_filter=name eq "{}"',
    "Patient?_type={}",
    "Patient?{}=1",
    "Observation?value-quantity={}|{}|{}",
    "Observation?code-value-quantity={}${}",
    "ValueSet?url:below={}",
    "Location?near={}|{}|{}",
    "Patient/{}",
    "Patient/kept/_history/{}",
    "Patient/_history?_since={}",
    "{}/kept",
    "Patient/kept/{}",
    "_history?_at={}",
]


@pytest.fixture(scope="module")
def kept(client: Client) -> dict[str, Any]:
    stored: dict[str, Any] = client.put(
        "Patient/kept", {"resourceType": "Patient", "id": "kept"}
    ).json
    return stored


@pytest.mark.parametrize("injection", INJECTIONS)
@pytest.mark.parametrize("path", PATHS)
def test_no_value_becomes_a_part_of_a_statement(
    client: Client, kept: dict[str, Any], path: str, injection: str
) -> None:
    answer = client.get(path.replace("{}", quote(injection, safe="")))

    assert answer.status in (200, 400, 404, 422), answer.body
    if answer.status == 200:
        assert answer.json["resourceType"] == "Bundle"
        found = [one.get("id") for one in answer.resources]
        assert kept["id"] not in found or path.startswith(("_history", "Patient/_hist"))
    assert client.get("Patient/kept").json == kept


@pytest.mark.parametrize("injection", INJECTIONS)
def test_no_text_of_a_resource_becomes_a_part_of_a_statement(
    client: Client, kept: dict[str, Any], injection: str
) -> None:
    resource = {
        "resourceType": "Patient",
        "language": injection,
        "name": [{"family": injection, "given": [injection]}],
        "identifier": [{"system": injection, "value": injection}],
        "managingOrganization": {"reference": injection, "display": injection},
    }

    made = client.create(resource)

    assert made.status in (201, 400), made.body
    if made.status == 201:
        assert made.json["name"] == json.loads(json.dumps(resource["name"]))
    assert client.get("Patient/kept").json == kept


@pytest.mark.parametrize("injection", INJECTIONS)
def test_no_header_becomes_a_part_of_a_statement(
    client: Client, kept: dict[str, Any], injection: str
) -> None:
    sent = injection.encode("ascii", "ignore").decode()
    for headers in (
        {"If_None_Exist": f"name={quote(sent)}"},
        {"If_None_Exist": sent},
        {"X_Request_Id": sent},
        {"Prefer": sent},
    ):
        answer = client.create(
            {"resourceType": "Basic", "code": {"text": "x"}}, **headers
        )

        assert answer.status in (200, 201, 400, 412), answer.body
    assert client.get("Patient/kept").json == kept
