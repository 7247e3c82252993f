"""Create, update, patch, delete over HTTP: https://hl7.org/fhir/R4/http.html#create."""

from typing import Any

import pytest

from fyr.core.testing.client import Client

Patient = dict[str, Any]
NEW = {"resourceType": "Patient", "name": [{"family": "Ny"}]}


def path_of(patient: Patient) -> str:
    return f"Patient/{patient['id']}"


def test_a_create_tells_where_the_resource_is(client: Client) -> None:
    answer = client.create(NEW)

    assert answer.status == 201
    assert answer.headers["etag"] == 'W/"1"'
    where = f"http://localhost/fhir/Patient/{answer.json['id']}/_history/1"
    assert answer.headers["location"] == where
    assert answer.json["name"] == NEW["name"]


@pytest.mark.parametrize(
    "prefer", ["return=minimal", "handling=lenient;return=minimal"]
)
def test_a_client_that_prefers_little_gets_no_body(client: Client, prefer: str) -> None:
    answer = client.create(NEW, Prefer=prefer)

    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers["location"]
    assert "content-type" not in answer.headers


def test_a_client_that_prefers_an_outcome_gets_one(
    client: Client, patient: Patient
) -> None:
    created = client.create(NEW, Prefer="return=OperationOutcome")
    deleted = client.delete(path_of(patient), Prefer="return=OperationOutcome")

    for answer, status in ((created, 201), (deleted, 200)):
        assert answer.status == status
        assert answer.json["resourceType"] == "OperationOutcome"
        assert answer.json["issue"][0]["severity"] == "information"


def test_an_update_makes_the_next_version(client: Client, patient: Patient) -> None:
    answer = client.update({**patient, "active": False})

    assert answer.status == 200
    assert answer.headers["etag"] == 'W/"2"'
    assert answer.json["meta"]["versionId"] == "2"


def test_an_update_under_a_new_id_creates(client: Client) -> None:
    answer = client.put("Patient/of-my-own", {**NEW, "id": "of-my-own"})

    assert answer.status == 201
    assert answer.headers["location"].endswith("/Patient/of-my-own/_history/1")


def test_a_stale_writer_is_refused(client: Client, patient: Patient) -> None:
    client.update({**patient, "active": False}, If_Match='W/"1"')

    answer = client.update({**patient, "active": True}, If_Match='W/"1"')

    assert answer.status == 412
    assert client.get(path_of(patient)).json["active"] is False


def test_an_update_that_must_create_leaves_what_is_there(
    client: Client, patient: Patient
) -> None:
    answer = client.update({**patient, "active": False}, If_None_Match="*")

    assert answer.status == 412
    assert client.get(path_of(patient)).json["active"] is True


def test_an_update_of_another_id_is_refused(client: Client, patient: Patient) -> None:
    assert client.put("Patient/other", patient).status == 400


@pytest.mark.parametrize("resource_id", ["a_b", "æ", "a" * 65, "a%00b"])
def test_an_id_that_is_none_is_refused(client: Client, resource_id: str) -> None:
    assert client.put(f"Patient/{resource_id}", {**NEW, "id": "a"}).status == 400


def test_a_delete_can_be_repeated(client: Client, patient: Patient) -> None:
    statuses = [client.delete(path_of(patient)).status for _ in range(2)]

    assert set(statuses) <= {200, 204}


def test_a_create_that_exists_already_answers_what_is_there(client: Client) -> None:
    identified = {**NEW, "identifier": [{"system": "urn:test", "value": "only-one"}]}
    criteria = "identifier=urn:test|only-one"

    first = client.create(identified, If_None_Exist=criteria)
    second = client.create(identified, If_None_Exist=criteria)

    assert (first.status, second.status) == (201, 200)
    assert second.json["id"] == first.json["id"]


def test_who_writes_by_criteria_and_takes_no_body_learns_the_id(client: Client) -> None:
    criteria = "identifier=urn:example:few|1"
    identified = {
        **NEW,
        "identifier": [{"system": "urn:example:few", "value": "1"}],
    }
    identity = client.create(identified).json["id"]
    few = {"Prefer": "return=minimal"}

    found = client.create(identified, If_None_Exist=criteria, **few)
    changed = client.put(f"Patient?{criteria}", identified, **few)

    for answer, version in ((found, 1), (changed, 2)):
        where = f"http://localhost/fhir/Patient/{identity}/_history/{version}"
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["location"] == where


def test_criteria_can_tell_what_to_change(client: Client) -> None:
    identified = {**NEW, "identifier": [{"system": "urn:test", "value": "by-criteria"}]}
    target = "Patient?identifier=urn:test|by-criteria&_format=json"

    made = client.put(target, identified)
    again = client.put(target, {**identified, "active": True})
    patched = client.patch(
        target,
        b'[{"op": "replace", "path": "/active", "value": false}]',
        "application/json-patch+json",
    )
    deleted = client.delete(target)

    told = [answer.status for answer in (made, again, patched)]
    assert told == [201, 200, 200]
    assert patched.json["active"] is False
    assert deleted.status in (200, 204)
    assert client.get(path_of(made.json)).status == 410


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_without_id_and_criteria_is_refused(
    client: Client, method: str
) -> None:
    for path in ("Patient", "Patient?_format=json"):
        assert client.request(method, path, body=NEW).status == 400


PATCHES = {
    "application/json-patch+json": (
        b'[{"op": "replace", "path": "/birthDate", "value": "1950-01-01"}]'
    ),
    "application/fhir+json": (
        b'{"resourceType": "Parameters", "parameter": [{"name": "operation", "part": ['
        b'{"name": "type", "valueCode": "replace"},'
        b'{"name": "path", "valueString": "Patient.birthDate"},'
        b'{"name": "value", "valueDate": "1950-01-01"}]}]}'
    ),
    "application/xml-patch+xml": (
        b'<diff xmlns:f="http://hl7.org/fhir">'
        b'<replace sel="f:Patient/f:birthDate/@value">1950-01-01</replace></diff>'
    ),
}


@pytest.mark.parametrize("content_type", PATCHES)
def test_a_patch_changes_what_it_says(
    client: Client, patient: Patient, content_type: str
) -> None:
    answer = client.patch(path_of(patient), PATCHES[content_type], content_type)

    assert answer.status == 200
    expected = {**patient, "birthDate": "1950-01-01", "meta": answer.json["meta"]}
    assert answer.json == expected
    assert answer.headers["etag"] == 'W/"2"'


def test_a_patch_in_no_known_format_is_refused(
    client: Client, patient: Patient
) -> None:
    assert client.patch(path_of(patient), b"{}", "text/plain").status == 415


def test_a_bundle_is_carried_out(client: Client) -> None:
    entry = {"resource": NEW, "request": {"method": "POST", "url": "Patient"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]}

    answer = client.post("", bundle)

    assert answer.status == 200
    statuses = [one["response"]["status"][:3] for one in answer.json["entry"]]
    assert statuses == ["201", "201"]


def test_a_resource_can_be_posted_where_it_belongs_only(client: Client) -> None:
    assert client.post("Observation", NEW).status == 400
    assert client.post("Patient/1", NEW).status == 405
