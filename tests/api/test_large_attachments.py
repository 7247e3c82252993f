"""Content of Attachments that is too large for the database.

https://hl7.org/fhir/R4/datatypes.html#Attachment
"""

import base64
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.app import Application
from fyr.core.interactions.content import exchange, filled, holders, pointing
from fyr.core.testing.client import Client

THRESHOLD = 4096
PHOTO = base64.b64encode(Random(1).randbytes(30_001)).decode()
OTHER = base64.b64encode(Random(2).randbytes(20_000)).decode()


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    return {"blobs": {"threshold_bytes": THRESHOLD}}


def media(data: str, **more: Any) -> dict[str, Any]:
    content = {"contentType": "image/png", "data": data, "title": "wound"}
    return {
        "resourceType": "Media",
        "status": "completed",
        "content": content,
        **more,
    }


def document(*contents: str) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"data": data}} for data in contents],
    }


def stored(client: Client, resource: dict[str, Any]) -> str:
    answer = client.create(resource)
    assert answer.status == 201, answer.body
    return f"{resource['resourceType']}/{answer.json['id']}"


def blobs(app: Application) -> list[str]:
    return [row[0] for row in app.database.rows("SELECT subject FROM blob")]


def kept(app: Application, path: str) -> bytes:
    head = app.resources.read(*path.split("/"))
    assert head is not None
    assert head.body is not None
    return head.body


def test_large_content_leaves_the_database_and_a_read_has_it_in_its_place(
    fyr_client: Client, fyr_app: Application
) -> None:
    path = stored(fyr_client, media(PHOTO))

    answer = fyr_client.get(path)
    assert answer.json["content"] == media(PHOTO)["content"]
    assert list(answer.json["content"]) == ["contentType", "data", "title"]
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["etag"] == 'W/"1"'
    assert len(kept(fyr_app, path)) < 500
    assert blobs(fyr_app) == [path]


def test_small_content_stays(fyr_client: Client, fyr_app: Application) -> None:
    path = stored(fyr_client, media("aGVq"))

    assert fyr_client.get(path).body == kept(fyr_app, path)
    assert blobs(fyr_app) == []


@pytest.mark.parametrize("format_", ["json", "xml"])
def test_several_contents_come_back_each_in_its_place(
    fyr_client: Client, fyr_app: Application, format_: str
) -> None:
    path = stored(fyr_client, document(PHOTO, "aGVq", OTHER))

    answer = fyr_client.get(path, {"_format": format_})
    text = answer.body.decode()
    assert text.index(PHOTO) < text.index("aGVq") < text.index(OTHER)
    assert blobs(fyr_app) == [path, path]


def test_who_asks_for_other_elements_gets_no_content(fyr_client: Client) -> None:
    photos = [{"data": PHOTO}, {"data": OTHER}]
    patient = {"resourceType": "Patient", "active": True, "photo": photos}
    path = stored(fyr_client, patient)

    assert "photo" not in fyr_client.get(path, {"_elements": "active"}).json
    assert fyr_client.get(path, {"_elements": "photo"}).json["photo"] == photos


def test_each_version_keeps_its_content(fyr_client: Client) -> None:
    path = stored(fyr_client, media(PHOTO))
    fyr_client.update({**media(OTHER), "id": path.partition("/")[2]})
    fyr_client.delete(path)

    versions = [fyr_client.get(f"{path}/_history/{number}").json for number in (1, 2)]
    assert [one["content"]["data"] for one in versions] == [PHOTO, OTHER]


def test_a_patch_of_something_else_keeps_the_content(fyr_client: Client) -> None:
    path = stored(fyr_client, media(PHOTO))
    patch = [{"op": "add", "path": "/language", "value": "da"}]

    fyr_client.patch(path, patch, "application/json-patch+json")

    answer = fyr_client.get(path).json
    assert (answer["language"], answer["content"]["data"]) == ("da", PHOTO)


def test_bundles_name_the_content_and_what_they_have_can_be_stored_again(
    fyr_client: Client,
) -> None:
    path = stored(fyr_client, media(PHOTO))

    (found,) = fyr_client.get(f"{path}/_history").resources
    assert "data" not in found["content"]
    assert fyr_client.update(found).status == 200
    assert fyr_client.get(path).json["content"]["data"] == PHOTO


def test_nobody_gets_content_of_another_resource_by_naming_its_blob(
    fyr_client: Client,
) -> None:
    path = stored(fyr_client, media(PHOTO))
    (found,) = fyr_client.get(f"{path}/_history").resources

    assert fyr_client.update({**found, "id": "mine"}).status == 409
    report = {**document(), "content": [{"attachment": found["content"]}]}
    assert fyr_client.create(report).status == 409


def test_content_of_a_contained_resource_leaves_too(
    fyr_client: Client, fyr_app: Application
) -> None:
    inside = {**media(PHOTO), "id": "m"}
    report = {
        "resourceType": "DiagnosticReport",
        "contained": [inside],
        "status": "final",
        "code": {"text": "photo"},
        "media": [{"link": {"reference": "#m"}}],
    }
    path = stored(fyr_client, report)

    assert blobs(fyr_app) == [path]
    assert fyr_client.get(path).json["contained"] == [inside]


def test_base64_in_lines_stays_as_it_was_written(
    fyr_client: Client, fyr_app: Application
) -> None:
    lines = "\n".join(PHOTO[at : at + 76] for at in range(0, len(PHOTO), 76))
    path = stored(fyr_client, media(lines))

    assert fyr_client.get(path).json["content"]["data"] == lines
    assert blobs(fyr_app) == []


def test_sampled_data_is_no_content(fyr_client: Client, fyr_app: Application) -> None:
    series = {"origin": {"value": 0}, "period": 10, "dimensions": 1}
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "ECG"},
        "valueSampledData": {**series, "data": "1 2 " * 5000 + "3"},
    }
    path = stored(fyr_client, observation)

    assert fyr_client.get(path).body == kept(fyr_app, path)
    assert blobs(fyr_app) == []


def test_a_patch_that_brings_new_content_drops_the_old(fyr_client: Client) -> None:
    path = stored(fyr_client, media(PHOTO))
    patch = [{"op": "add", "path": "/content/data", "value": "aGVq"}]

    assert fyr_client.patch(path, patch, "application/json-patch+json").status == 200
    assert fyr_client.get(path).json["content"] == media("aGVq")["content"]


@pytest.mark.parametrize("kind", ["Media", "Binary"])
def test_large_content_of_a_patch_leaves_the_database(
    fyr_client: Client, fyr_app: Application, kind: str
) -> None:
    binary = {"resourceType": "Binary", "contentType": "image/png", "data": "aGVq"}
    path = stored(fyr_client, media("aGVq") if kind == "Media" else binary)
    where = "/content/data" if kind == "Media" else "/data"
    patch = [{"op": "replace", "path": where, "value": PHOTO}]

    answer = fyr_client.patch(path, patch, "application/json-patch+json")

    assert answer.status == 200, answer.body
    assert len(kept(fyr_app, path)) < 500
    assert blobs(fyr_app) == [path]
    whole = fyr_client.get(path, Accept="application/fhir+json").json
    assert (whole["content"] if kind == "Media" else whole)["data"] == PHOTO


class _Blob:
    id = "b" * 32


_KEYS = st.sampled_from(["contentType", "data", "title", "size", "_data"])
_TREES = st.recursive(
    st.one_of(st.text(max_size=3), st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(_KEYS, st.text(max_size=3)), inner, max_size=4),
    ),
    max_leaves=20,
)


@given(_TREES)
def test_what_was_pointed_is_filled_to_what_it_was(tree: Any) -> None:
    resource = {"resourceType": "Basic", "content": tree}
    before = repr(resource)

    for holder in holders(resource):
        data = holder.get("data")
        if isinstance(data, str) and "_data" not in holder:
            pointer: Any = pointing(holder, _Blob())  # type: ignore[arg-type]
            exchange(holder, pointer)
            exchange(holder, filled(holder, data))

    assert repr(resource) == before
