"""Large content leaves the database and comes back, in each form."""

import base64

import pytest

from fyr.core.app import Application
from fyr.core.blobs.sweep import Sweep
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

from .stored import LARGE, OTHER, PDF, THRESHOLD, raw, rows, stored


def test_bytes_leave_the_database_and_come_back(
    fyr_client: Client, fyr_app: Application
) -> None:
    path = stored(fyr_client)

    answer = raw(fyr_client, path)
    assert (answer.status, answer.body) == (200, LARGE)
    assert answer.headers["content-type"] == PDF
    assert answer.headers["content-length"] == str(len(LARGE))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == "attachment"
    head = fyr_app.resources.read(*path.split("/"))
    assert head is not None
    assert len(head.body or b"") < 500
    assert rows(fyr_app) == ["kept"]


@pytest.mark.parametrize("size", [3001, 300_000, 300_002])
def test_a_resource_has_its_content_in_it(fyr_client: Client, size: int) -> None:
    content = (LARGE + b"xy")[:size]
    path = stored(fyr_client, content)

    for accept in (None, "application/fhir+json"):
        answer = fyr_client.get(path, **({"Accept": accept} if accept else {}))
        assert base64.b64decode(answer.json["data"], validate=True) == content
        assert answer.headers["content-length"] == str(len(answer.body))
        assert answer.headers["etag"] == 'W/"1"'
        assert "_data" not in answer.json
    xml = fyr_client.get(path, {"_format": "xml"}).body.decode()
    assert f'<data value="{base64.b64encode(content).decode()}"/>' in xml
    pretty = fyr_client.get(path, {"_pretty": "true"})
    assert base64.b64decode(pretty.json["data"]) == content


def test_a_resource_in_json_or_xml_is_kept_the_same_way(
    fyr_client: Client, fyr_app: Application
) -> None:
    data = base64.b64encode(LARGE).decode()
    binary = {"resourceType": "Binary", "contentType": PDF, "data": data}
    path = f"Binary/{fyr_client.create(binary).json['id']}"
    xml = (
        '<Binary xmlns="http://hl7.org/fhir"><id value="x"/>'
        f'<contentType value="{PDF}"/><data value="{data}"/></Binary>'
    )
    put = fyr_client.put("Binary/x", xml, Content_Type="application/fhir+xml")

    assert put.status == 201
    assert raw(fyr_client, path).body == raw(fyr_client, "Binary/x").body == LARGE
    assert rows(fyr_app) == ["kept", "kept"]


def test_small_content_stays_in_the_database(
    fyr_client: Client, fyr_app: Application
) -> None:
    path = stored(fyr_client, LARGE[:THRESHOLD])

    assert raw(fyr_client, path).body == LARGE[:THRESHOLD]
    assert rows(fyr_app) == []


def test_each_version_keeps_its_content(
    fyr_client: Client, fyr_app: Application
) -> None:
    path = stored(fyr_client)
    fyr_client.put(path, OTHER, Content_Type=PDF)
    fyr_client.delete(path)
    Sweep(fyr_app.blobs).sweep()

    assert raw(fyr_client, path).status == 410
    assert raw(fyr_client, f"{path}/_history/1").body == LARGE
    assert raw(fyr_client, f"{path}/_history/2").body == OTHER


def test_a_patch_of_something_else_keeps_the_content(fyr_client: Client) -> None:
    path = stored(fyr_client)
    patch = [{"op": "add", "path": "/language", "value": "da"}]

    answer = fyr_client.patch(path, patch, "application/json-patch+json")

    assert (answer.status, answer.json["language"]) == (200, "da")
    assert raw(fyr_client, path).body == LARGE


def test_bundles_name_the_content_and_do_not_carry_it(fyr_client: Client) -> None:
    path = stored(fyr_client)

    for url in (f"Binary?_id={path.partition('/')[2]}", f"{path}/_history"):
        (found,) = fyr_client.get(url).resources
        assert "data" not in found
        assert found["_data"]["extension"][0]["url"] == "urn:fyr:blob"


def test_what_is_read_in_a_bundle_can_be_stored_again(fyr_client: Client) -> None:
    path = stored(fyr_client)
    (found,) = fyr_client.get(f"{path}/_history").resources

    assert fyr_client.update(found).status == 200
    assert raw(fyr_client, path).body == LARGE


def test_nobody_gets_the_content_of_another_binary_by_naming_its_blob(
    fyr_client: Client,
) -> None:
    (found,) = fyr_client.get(f"{stored(fyr_client)}/_history").resources
    stranger = {**found, "id": "mine"}

    assert fyr_client.update(stranger).status == 409
    assert fyr_client.create(found).status == 409
    assert fyr_client.get("Binary/mine").status == 404


def test_a_transaction_takes_content_too(
    fyr_client: Client, fyr_app: Application, fyr_clock: FakeClock
) -> None:
    data = base64.b64encode(LARGE).decode()
    entry = {
        "resource": {"resourceType": "Binary", "contentType": PDF, "data": data},
        "request": {"method": "POST", "url": "Binary"},
    }
    bad = {"request": {"method": "DELETE", "url": "Patient?none=1"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    answer = fyr_client.post("", bundle)
    path = answer.json["entry"][0]["response"]["location"].partition("/_history")[0]
    refused = fyr_client.post("", {**bundle, "entry": [entry, bad]})

    assert refused.status == 400
    assert raw(fyr_client, path.partition("/fhir/")[2] or path).body == LARGE
    fyr_clock.advance(days=1)
    Sweep(fyr_app.blobs).sweep()
    assert rows(fyr_app) == ["kept"]


def test_content_of_a_write_that_is_refused_is_swept(
    fyr_client: Client, fyr_app: Application, fyr_clock: FakeClock
) -> None:
    path = stored(fyr_client)
    stale = fyr_client.put(path, OTHER, Content_Type=PDF, If_Match='W/"7"')
    assert (stale.status, sorted(rows(fyr_app))) == (412, ["kept", "pending"])

    fyr_clock.advance(days=1)
    assert Sweep(fyr_app.blobs).sweep() == 1
    assert len(list(fyr_app.blobs.store.walk())) == 1
    assert raw(fyr_client, path).body == LARGE
