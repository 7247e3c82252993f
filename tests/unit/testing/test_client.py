"""The test kit's client, against a small application that tells what it was sent."""

import falcon
import pytest

from fyr.core.testing.client import Client


class Mirror:
    """Answers with what it was asked."""

    def on_any(self, req, resp):
        resp.status = 207
        resp.set_header("X-Seen", "yes")
        resp.media = {
            "method": req.method,
            "uri": req.relative_uri,
            "params": req.params,
            "headers": {name.lower(): value for name, value in req.headers.items()},
            "body": req.bounded_stream.read().decode(),
        }

    on_get = on_post = on_put = on_patch = on_delete = on_any


@pytest.fixture
def client() -> Client:
    app = falcon.App()
    app.add_sink(Mirror().on_any)
    return Client(app)


def test_a_relative_path_stands_below_the_base(client) -> None:
    assert client.get("Patient/1").json["uri"] == "/fhir/Patient/1"
    assert client.post("", {}).json["uri"] == "/fhir"


def test_a_path_with_a_slash_stands_at_the_root(client) -> None:
    assert client.get("/health/live").json["uri"] == "/health/live"


def test_params_are_escaped_and_added_to_the_query(client) -> None:
    params = [("name", "Bo & Åse"), ("name", "x|y")]
    seen = client.get("Patient?_count=1", params).json

    assert seen["uri"].startswith("/fhir/Patient?_count=1&name=Bo")
    assert seen["params"]["name"] == ["Bo & Åse", "x|y"]


def test_a_body_goes_out_as_fhir_json(client) -> None:
    seen = client.create({"resourceType": "Patient"}).json

    assert (seen["method"], seen["uri"]) == ("POST", "/fhir/Patient")
    assert seen["headers"]["content-type"] == "application/fhir+json"
    assert seen["body"] == '{"resourceType": "Patient"}'


def test_bytes_and_text_go_out_as_they_are(client) -> None:
    assert client.post("Patient", b"{").json["body"] == "{"
    assert client.put("Patient/1", "<Patient/>").json["body"] == "<Patient/>"


def test_an_update_goes_to_the_resources_own_place(client) -> None:
    seen = client.update({"resourceType": "Patient", "id": "7"}, If_Match='W/"1"').json

    assert (seen["method"], seen["uri"]) == ("PUT", "/fhir/Patient/7")
    assert seen["headers"]["if-match"] == 'W/"1"'


def test_a_patch_names_its_format(client) -> None:
    seen = client.patch("Patient/7", [], "application/json-patch+json").json

    assert (seen["method"], seen["body"]) == ("PATCH", "[]")
    assert seen["headers"]["content-type"] == "application/json-patch+json"


def test_headers_stay_with_the_client_that_was_given_them(client) -> None:
    minimal = client.with_headers(Prefer="return=minimal")

    assert minimal.delete("Patient/7").json["headers"]["prefer"] == "return=minimal"
    assert "prefer" not in client.delete("Patient/7").json["headers"]


def test_an_answer_has_status_headers_and_body(client) -> None:
    answer = client.get("Patient")

    assert (answer.status, answer.headers["x-seen"]) == (207, "yes")
    assert answer.body.startswith(b"{")
    assert (answer.issues, answer.resources) == ([], [])
