"""FHIR read, vread and what a client may ask of them: https://hl7.org/fhir/R4/http.html#read."""

from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from fyr.core.testing.client import Client

Patient = dict[str, Any]


def path_of(patient: Patient) -> str:
    return f"Patient/{patient['id']}"


def test_a_read_tells_version_and_time(client: Client, patient: Patient) -> None:
    answer = client.get(path_of(patient))

    assert answer.status == 200
    assert answer.json == patient
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert answer.headers["etag"] == 'W/"1"'
    changed = parsedate_to_datetime(answer.headers["last-modified"])
    assert f"{changed:%Y-%m-%dT%H:%M:%S}" == patient["meta"]["lastUpdated"][:19]


def test_every_answer_has_the_headers_that_protect_it(
    client: Client, patient: Patient
) -> None:
    for path in (path_of(patient), "Patient/none", "/nowhere"):
        headers = client.get(path).headers

        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "private, no-cache"
        assert {"Accept", "Accept-Encoding"} <= set(headers["vary"].split(", "))
        assert len(headers["x-request-id"]) == 32


def test_head_is_a_read_without_the_body(client: Client, patient: Patient) -> None:
    read, head = (client.request(verb, path_of(patient)) for verb in ("GET", "HEAD"))

    assert head.body == b""
    assert head.headers["content-length"] == str(len(read.body))
    assert head.headers["etag"] == read.headers["etag"]


@pytest.mark.parametrize(
    "tags", ['W/"1"', '"1"', 'W/"9", W/"1"', "*"], ids=["weak", "strong", "list", "any"]
)
def test_what_the_client_has_already_is_not_sent_again(
    client: Client, patient: Patient, tags: str
) -> None:
    answer = client.get(path_of(patient), If_None_Match=tags)

    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["etag"] == 'W/"1"'


def test_what_the_client_has_not_is_sent(client: Client, patient: Patient) -> None:
    assert client.get(path_of(patient), If_None_Match='W/"7"').status == 200


def test_what_has_not_changed_since_is_not_sent_again(
    client: Client, patient: Patient
) -> None:
    seen = client.get(path_of(patient)).headers["last-modified"]

    assert client.get(path_of(patient), If_Modified_Since=seen).status == 304
    early = "Sat, 01 Jan 2000 00:00:00 GMT"
    assert client.get(path_of(patient), If_Modified_Since=early).status == 200
    # RFC 9110: a date is ignored when it is none, or stands beside a tag.
    assert client.get(path_of(patient), If_Modified_Since="x").status == 200
    both = client.get(path_of(patient), If_Modified_Since=seen, If_None_Match='W/"7"')
    assert both.status == 200


def test_a_tag_that_is_none_is_refused(client: Client, patient: Patient) -> None:
    answer = client.get(path_of(patient), If_None_Match="1")

    assert answer.status == 400
    assert "If-None-Match" in answer.issues[0]


@pytest.mark.parametrize("path", ["Patient/none", "Patient/a_b", "Patient/" + "a" * 65])
def test_what_was_never_there_is_not_found(client: Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status == 404
    assert answer.json["issue"][0]["code"] == "not-found"


def test_what_was_deleted_is_gone(client: Client, patient: Patient) -> None:
    client.delete(path_of(patient))

    assert client.get(path_of(patient)).status == 410


def test_a_type_that_does_not_exist_is_told_with_a_neighbour(client: Client) -> None:
    answer = client.get("Patiant/1")

    assert answer.status == 404
    assert "Patient" in answer.issues[0]


def test_a_version_is_read_by_its_number(client: Client, patient: Patient) -> None:
    client.update({**patient, "active": False})

    first = client.get(f"{path_of(patient)}/_history/1")
    assert first.json == patient
    assert first.headers["etag"] == 'W/"1"'
    assert client.get(f"{path_of(patient)}/_history/9").status == 404
    assert client.get(f"{path_of(patient)}/_history/x").status == 404


def test_a_slash_at_the_end_changes_nothing(client: Client, patient: Patient) -> None:
    assert client.get(f"/fhir/{path_of(patient)}/").status == 200


def test_links_stand_on_the_host_that_was_asked(
    client: Client, patient: Patient
) -> None:
    bundle = client.get("Patient/_history", Host="127.0.0.1:8443").json

    assert bundle["link"][0]["url"].startswith("http://127.0.0.1:8443/fhir/")


@pytest.mark.parametrize("host", ['a"b', "a b", "evil.org/x", "a@b"])
def test_a_host_that_is_none_is_refused(client: Client, host: str) -> None:
    assert client.get("Patient/1", Host=host).status == 400
