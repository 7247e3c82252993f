"""Formats, views, compression and size: https://hl7.org/fhir/R4/http.html#mime-type."""

import gzip
import zlib
from typing import Any

import orjson
import pytest
from lxml import etree

from fyr.core.testing.client import Client

Patient = dict[str, Any]
NEW = {"resourceType": "Patient", "name": [{"family": "Åberg"}], "active": True}
XML = "application/fhir+xml; charset=utf-8"


def path_of(patient: Patient) -> str:
    return f"Patient/{patient['id']}"


def test_xml_is_made_for_those_who_ask(client: Client, patient: Patient) -> None:
    for answer in (
        client.get(path_of(patient), Accept="application/fhir+xml"),
        client.get(path_of(patient), params={"_format": "xml"}),
    ):
        root = etree.fromstring(answer.body)

        assert answer.headers["content-type"] == XML
        assert root.tag == "{http://hl7.org/fhir}Patient"
        assert answer.headers["etag"] == 'W/"1"'


def test_xml_is_read(client: Client) -> None:
    body = (
        '<Patient xmlns="http://hl7.org/fhir"><active value="true"/>'
        '<name><family value="Åberg"/></name></Patient>'
    ).encode()

    answer = client.post("Patient", body, Content_Type="application/fhir+xml")

    assert answer.status == 201
    assert answer.json["name"] == [{"family": "Åberg"}]


def test_errors_come_in_the_format_that_was_asked_for(client: Client) -> None:
    answer = client.get("Patient/none", Accept="application/fhir+xml")

    assert answer.headers["content-type"] == XML
    root = etree.fromstring(answer.body)
    assert root.tag == "{http://hl7.org/fhir}OperationOutcome"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_nothing_is_done_for_a_client_that_could_not_read_the_answer(
    client: Client, patient: Patient, method: str
) -> None:
    answer = client.request(method, path_of(patient), headers={"Accept": "text/turtle"})

    assert answer.status == 406
    assert answer.json["resourceType"] == "OperationOutcome"
    assert client.get(path_of(patient)).status == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/fhir+turtle", "image/png"]
)
def test_a_body_in_another_format_is_refused(client: Client, content_type: str) -> None:
    assert client.post("Patient", b"x", Content_Type=content_type).status == 415


def test_pretty_is_for_people(client: Client, patient: Patient) -> None:
    answer = client.get(path_of(patient), params={"_pretty": "true"})

    assert answer.body.startswith(b'{\n  "resourceType": "Patient"')
    assert answer.json == patient


def test_pretty_xml_is_for_people_too(client: Client, patient: Patient) -> None:
    view = {"_pretty": "true", "_format": "xml"}
    answer = client.get(path_of(patient), params=view)

    assert b'\n  <id value="' in answer.body


def test_a_summary_leaves_out_and_says_so(client: Client) -> None:
    contact = [{"name": {"family": "Nær"}}]
    made = client.create({**NEW, "contact": contact}).json

    shown = client.get(path_of(made), params={"_summary": "true"}).json

    assert "contact" not in shown
    assert shown["name"] == NEW["name"]
    assert [tag["code"] for tag in shown["meta"]["tag"]] == ["SUBSETTED"]


def test_elements_are_chosen(client: Client, patient: Patient) -> None:
    shown = client.get(path_of(patient), params={"_elements": "birthDate"}).json

    assert {"resourceType", "id", "meta", "birthDate"} == set(shown)


def test_views_of_a_search_are_about_what_it_finds(client: Client) -> None:
    named = {**NEW, "name": [{"family": "Udsigt"}], "contact": [{"gender": "other"}]}
    client.create(named)

    summary = client.get("Patient?family=Udsigt&_summary=true").json
    elements = client.get("Patient?family=Udsigt&_elements=active").json

    assert summary["resourceType"] == "Bundle"
    shown = summary["entry"][0]["resource"]
    assert "contact" not in shown
    assert shown["name"] == named["name"]
    assert set(elements["entry"][0]["resource"]) == {
        "resourceType",
        "id",
        "meta",
        "active",
    }


def test_views_of_a_history_are_about_its_versions(
    client: Client, patient: Patient
) -> None:
    page = client.get(f"{path_of(patient)}/_history?_elements=active").json

    assert page["type"] == "history"
    assert "name" not in page["entry"][0]["resource"]


def test_the_next_page_comes_in_the_same_format(client: Client) -> None:
    for _ in range(2):
        client.create(NEW)

    page = client.get("Patient/_history?_count=1&_format=xml&_pretty=true")
    links = etree.fromstring(page.body).findall("{*}link/{*}url")

    assert all("_format=xml" in link.get("value", "") for link in links)
    assert len(links) == 2


def test_large_answers_are_packed_for_those_who_take_gzip(client: Client) -> None:
    text = {
        "status": "generated",
        "div": f"<div xmlns='http://www.w3.org/1999/xhtml'>{'x' * 5000}</div>",
    }
    made = client.create({**NEW, "text": text}).json

    packed = client.get(path_of(made), Accept_Encoding="gzip, br")
    plain = client.get(path_of(made), Accept_Encoding="br")

    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert "content-encoding" not in plain.headers


def test_packed_bodies_are_read(client: Client) -> None:
    body = gzip.compress(orjson.dumps(NEW))

    answer = client.post("Patient", body, Content_Encoding="gzip")

    assert answer.status == 201
    assert answer.json["name"] == NEW["name"]


_GOOD = gzip.compress(orjson.dumps(NEW))


@pytest.mark.parametrize(
    "body",
    [b"not gzip", _GOOD[:-9], _GOOD + _GOOD, _GOOD + b"x", zlib.compress(b"{}")],
    ids=["plain", "cut", "twice", "rest", "zlib"],
)
def test_broken_gzip_is_refused(client: Client, body: bytes) -> None:
    answer = client.post("Patient", body, Content_Encoding="gzip")

    assert answer.status == 400
    assert "gzip" in answer.issues[0]


def test_other_codings_are_refused_and_gzip_is_offered(client: Client) -> None:
    answer = client.post("Patient", b"x", Content_Encoding="br")

    assert answer.status == 415
    assert answer.headers["accept-encoding"] == "gzip"


class TestLimits:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {"server": {"max_body_bytes": 4096}}

    def test_a_body_beyond_the_limit_is_refused(self, fyr_client: Client) -> None:
        answer = fyr_client.post("Patient", b" " * 4097)

        assert answer.status == 413
        assert "4096" in answer.issues[0]

    def test_a_body_that_unpacks_beyond_the_limit_is_refused(
        self, fyr_client: Client
    ) -> None:
        bomb = gzip.compress(b" " * 1_000_000)

        answer = fyr_client.post("Patient", bomb, Content_Encoding="gzip")

        assert len(bomb) < 4096
        assert answer.status == 413

    def test_a_body_at_the_limit_is_read(self, fyr_client: Client) -> None:
        body = orjson.dumps(NEW).ljust(4096)

        assert fyr_client.post("Patient", body).status == 201


@pytest.mark.parametrize("content_type", ["application/fhir+json", None])
def test_a_request_without_a_body_is_told_to_send_one(
    client: Client, content_type: str | None
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}

    answer = client.request("POST", "Patient", headers=headers)

    assert answer.status == 400
    assert "no body" in answer.issues[0]
