"""A Binary as bytes: https://hl7.org/fhir/R4/binary.html#rest."""

import base64
from typing import Any

import pytest

from fyr.core import hookimpl
from fyr.core.hooks.plugin import Plugin
from fyr.core.testing.client import Answer, Client

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
FHIR = "application/fhir+json; charset=utf-8"


def stored(client: Client, content: bytes = PNG, kind: str = "image/png") -> str:
    answer = client.post("Binary", content, Content_Type=kind)
    assert answer.status == 201, answer.body
    return f"Binary/{answer.json['id']}"


def content(answer: Answer) -> bytes:
    return base64.b64decode(answer.json["data"])


def test_bytes_are_stored_as_a_binary(client: Client) -> None:
    answer = client.post(
        "Binary",
        PNG,
        Content_Type="image/png",
        X_Security_Context="http://localhost/fhir/Patient/1",
    )

    assert answer.status == 201
    assert answer.headers["content-type"] == FHIR
    assert answer.json["contentType"] == "image/png"
    assert answer.json["securityContext"] == {"reference": "Patient/1"}
    assert content(answer) == PNG


def test_an_update_with_bytes_stores_them_under_the_id_of_its_url(
    client: Client,
) -> None:
    path = stored(client)

    answer = client.put(
        path, b"caf\xe9", Content_Type="text/plain;  charset=latin-1", If_Match='W/"1"'
    )
    stale = client.put(path, b"x", Content_Type="text/plain", If_Match='W/"1"')

    assert answer.headers["etag"] == 'W/"2"'
    assert answer.json["contentType"] == "text/plain; charset=latin-1"
    assert content(answer) == b"caf\xe9"
    assert stale.status == 412


@pytest.mark.parametrize(
    "accept", ["image/png", "image/*", "image/png, */*", "*/*;q=0.1, IMAGE/PNG;q=0.5"]
)
def test_who_asks_for_its_own_format_gets_the_bytes(
    client: Client, accept: str
) -> None:
    path = stored(client)

    for url in (path, f"{path}/_history/1"):
        answer = client.get(url, Accept=accept)

        assert (answer.status, answer.body) == (200, PNG)
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["etag"] == 'W/"1"'
        assert "last-modified" in answer.headers


@pytest.mark.parametrize(
    "accept", ["*/*", "*/*, image/png", "application/fhir+json, image/png;q=0.9"]
)
def test_fhir_is_what_others_get(client: Client, accept: str) -> None:
    path = stored(client)

    for url in (path, f"{path}/_history/1"):
        assert content(client.get(url, Accept=accept)) == PNG
        assert content(client.get(url)) == PNG
        xml = client.get(url, Accept="application/fhir+xml, image/png")
        assert xml.headers["content-type"] == FHIR.replace("json", "xml")


def test_a_format_in_the_url_decides_over_accept(client: Client) -> None:
    answer = client.get(stored(client), {"_format": "json"}, Accept="image/png")

    assert answer.headers["content-type"] == FHIR


def test_a_format_that_it_does_not_have_is_not_acceptable(client: Client) -> None:
    path = stored(client)

    for url in (path, f"{path}/_history/1"):
        assert client.get(url, Accept="image/gif, image/png;q=0").status == 406


def test_a_stored_web_page_cannot_run(client: Client) -> None:
    page = b"<script>alert(1)</script>"
    path = stored(client, page, "text/html")

    answer = client.get(path, Accept="text/html,application/xml;q=0.9,*/*;q=0.8")

    assert answer.body == page
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"].split("; ")


def test_who_has_the_bytes_already_is_not_sent_them_again(client: Client) -> None:
    answer = client.get(stored(client), Accept="image/png", If_None_Match='W/"1"')

    assert (answer.status, answer.body) == (304, b"")


def test_head_tells_about_the_bytes(client: Client) -> None:
    headers = {"Accept": "image/png"}

    answer = client.request("HEAD", stored(client), headers=headers)

    assert answer.body == b""
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-length"] == str(len(PNG))


def test_a_content_type_that_no_header_could_carry_is_never_sent_as_one(
    client: Client,
) -> None:
    binary = {"resourceType": "Binary", "contentType": "image/♥", "data": "AAAA"}
    path = f"Binary/{client.create(binary).json['id']}"

    assert client.get(path, Accept="image/*").status == 406
    assert client.get(path).json["contentType"] == "image/♥"


@pytest.mark.parametrize(("kind", "status"), [("image", 415), ("text/plain", 400)])
def test_nothing_is_stored_of_bytes_without_a_type_or_of_no_bytes(
    client: Client, kind: str, status: int
) -> None:
    body = b"x" if status == 415 else b""

    assert client.post("Binary", body, Content_Type=kind).status == status


def test_fhir_sent_to_binary_must_be_a_binary(client: Client) -> None:
    assert client.post("Binary", {"resourceType": "Patient"}).status == 400


class TestLimits:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        limits = {"max_bytes": 1024, "threshold_bytes": 1024}
        return {"server": {"max_body_bytes": 1024}, "blobs": limits}

    def test_bytes_beyond_the_limit_are_refused(self, fyr_client: Client) -> None:
        at = fyr_client.post("Binary", b"x" * 1024, Content_Type="image/png")
        beyond = fyr_client.post("Binary", b"x" * 1025, Content_Type="image/png")

        assert (at.status, beyond.status) == (201, 413)


class Masking(Plugin):
    """Shows other bytes than those that are stored, or what is no base64."""

    @hookimpl
    def before_show(self, resource: dict[str, Any]) -> dict[str, Any]:
        data = "#" if resource["contentType"] == "text/css" else "bWFza2Vk"
        return {**resource, "data": data}


class TestMasked:
    @pytest.fixture
    def fyr_plugins(self) -> dict[str, object]:
        return {"masking": Masking}

    def test_the_bytes_are_those_that_plugins_show(self, fyr_client: Client) -> None:
        answer = fyr_client.get(stored(fyr_client), Accept="image/png")

        assert answer.body == b"masked"

    def test_a_mask_that_is_no_content_is_not_sent_as_one(
        self, fyr_client: Client
    ) -> None:
        path = stored(fyr_client, b"a {}", "text/css")

        assert fyr_client.get(path, Accept="text/css").status == 406
