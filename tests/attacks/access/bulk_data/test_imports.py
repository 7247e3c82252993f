"""Imports give nobody what a write would not give them."""

import pytest

from fyr.core.testing.bulk import asked, path_of

NDJSON = {"Content-Type": "application/fhir+ndjson"}


def test_what_an_import_was_given_is_shown_to_nobody(at, kit, app) -> None:
    system = at("fhir", kit.who("SYSTEM", may="$import Organization.update"))
    body = b'{"resourceType":"Organization","id":"given","name":"x"}\n'
    answer = system.client.request(
        "POST", "/bulk-data/import", body=body, headers=NDJSON
    )
    status = path_of(answer.headers["content-location"])
    status = status.removeprefix("https://fyr.example.org")
    names = ("Organization-0.ndjson", "input-0.ndjson", "-0.ndjson")

    assert {system.client.get(f"{status}/{one}").status for one in names} == {404}
    app.worker().drain()
    assert {system.client.get(f"{status}/{one}").status for one in names} == {404}


def test_an_import_is_a_write_of_each_line(at, kit, app) -> None:
    system = at("fhir", kit.who("SYSTEM", may="$import Organization.update"))
    body = (
        b'{"resourceType":"Organization","id":"new","name":"x"}\n'
        b'{"resourceType":"Patient","id":"1","gender":"male"}\n'
    )
    answer = system.client.request(
        "POST", "/bulk-data/import", body=body, headers=NDJSON
    )
    app.worker().drain()
    status = path_of(answer.headers["content-location"])
    manifest = system.client.get(status.removeprefix("https://fyr.example.org")).json
    reader = at("fhir", kit.who("SYSTEM", may="Organization.read Patient.read")).client

    assert answer.status == 202
    assert manifest["output"][0]["count"] == 1
    assert manifest["error"][0]["count"] == 1
    assert reader.get("Organization/new").status == 200
    assert reader.get("Patient/1").json["gender"] == "female"


@pytest.mark.parametrize(
    "principal",
    [
        lambda kit: kit.who("SYSTEM", may="Patient.*"),
        lambda kit: kit.nurse("a", 1, may="$import $bulk-import Patient.*"),
        lambda kit: kit.citizen(1, may="$import $bulk-import Patient.*"),
    ],
)
def test_nobody_imports_but_systems_with_the_privilege(at, kit, app, principal) -> None:
    client = at("fhir", principal(kit)).client
    body = b'{"resourceType":"Patient","id":"1"}\n'

    sent = client.request("POST", "/bulk-data/import", body=body, headers=NDJSON)
    given = {"resourceType": "Parameters", "parameter": []}

    assert sent.status == 403
    assert asked(client, "$import", given).status == 403
