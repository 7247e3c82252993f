"""Pictures lose what they tell beside themselves, whichever way they come in."""

import base64
import hashlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from fyr.config.settings import Settings
from fyr.core.testing.client import Answer, Client

from .pictures import (
    HOME,
    JPEG,
    JSON_PATCH,
    LARGE,
    SMALL,
    TELLING,
    content,
    created,
    media,
    packed,
)

SIZES = pytest.mark.parametrize("sent", [SMALL, LARGE], ids=["small", "large"])


def updated(client: Client, sent: bytes) -> Answer:
    return client.update({**media(sent), "id": "m1"})


def patched(client: Client, sent: bytes) -> Answer:
    at = client.create({**media(b""), "content": {"contentType": JPEG}}).json["id"]
    step = {"op": "add", "path": "/content/data", "value": packed(sent)}
    return client.patch(f"Media/{at}", [step], JSON_PATCH)


def transacted(client: Client, sent: bytes) -> Answer:
    request = {"method": "PUT", "url": "Media/m2"}
    entry = {"resource": {**media(sent), "id": "m2"}, "request": request}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert client.post("", bundle).status == 200
    return client.get("Media/m2")


@SIZES
@pytest.mark.parametrize("way", [created, updated, patched, transacted])
def test_a_picture_tells_nothing_whichever_way_it_came_in(
    fyr_client: Client, way: Any, sent: bytes
) -> None:
    answer = way(fyr_client, sent)

    assert answer.status in (200, 201), answer.body
    kept = content(fyr_client, f"Media/{answer.json['id']}")
    assert HOME not in kept
    assert not Image.open(BytesIO(kept)).getexif()


@SIZES
def test_what_is_sent_back_stays_as_it_is(fyr_client: Client, sent: bytes) -> None:
    path = f"Media/{created(fyr_client, sent).json['id']}"
    before = fyr_client.get(path).json

    assert fyr_client.update(before).status == 200

    assert fyr_client.get(path).json["content"] == before["content"]


def test_size_and_hash_are_those_of_what_is_kept(fyr_client: Client) -> None:
    digest = packed(hashlib.sha1(SMALL).digest())
    resource = media(SMALL, size=len(SMALL), hash=digest)

    told = fyr_client.create(resource).json["content"]

    kept = base64.b64decode(told["data"])
    assert told["size"] == len(kept) != len(SMALL)
    assert told["hash"] == packed(hashlib.sha1(kept).digest())


@SIZES
@pytest.mark.parametrize("kind", [JPEG, f"{JPEG}; name=wound", "image/x-photo"])
def test_a_binary_that_comes_as_it_is_tells_nothing(
    fyr_client: Client, sent: bytes, kind: str
) -> None:
    made = fyr_client.post("Binary", sent, Content_Type=kind)

    answer = fyr_client.get(f"Binary/{made.json['id']}", Accept=kind)

    assert answer.status == 200
    assert HOME not in answer.body
    assert Image.open(BytesIO(answer.body)).format == "JPEG"


def test_pictures_that_cannot_be_read_are_told_with_their_places(
    fyr_client: Client,
) -> None:
    photos = [
        {"contentType": JPEG, "data": packed(data)}
        for data in (b"no picture", SMALL, SMALL[:-50])
    ]
    answer = fyr_client.create({"resourceType": "Patient", "photo": photos})

    assert answer.status == 422
    assert answer.issues == ["the picture is broken"] * 2
    told = [one["expression"] for one in answer.json["issue"]]
    assert told == [["Patient.photo[0].data"], ["Patient.photo[2].data"]]
    broken = fyr_client.post("Binary", SMALL[:-50], Content_Type=JPEG)
    assert (broken.status, broken.issues) == (422, ["the picture is broken"])


@pytest.mark.parametrize("kind", ["application/octet-stream", None])
def test_a_picture_is_known_whatever_is_said_of_it(
    fyr_client: Client, kind: str | None
) -> None:
    resource = media(SMALL)
    resource["content"]["contentType"] = kind
    if kind is None:
        del resource["content"]["contentType"]

    path = f"Media/{fyr_client.create(resource).json['id']}"

    assert HOME not in content(fyr_client, path)


def test_a_picture_is_no_larger_than_a_body(fyr_client: Client) -> None:
    limit = Settings().server.max_body_bytes
    body = SMALL + bytes(limit)

    answer = fyr_client.post("Binary", body, Content_Type=JPEG)

    assert (answer.status, answer.issues) == (
        413,
        [f"the picture is larger than {limit} bytes"],
    )


def test_all_else_stays_as_it_was_sent(fyr_client: Client) -> None:
    attachment = {"contentType": JPEG, "data": packed(SMALL)}
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": attachment}],
    }
    text = media(HOME)
    text["content"]["contentType"] = "text/plain"

    told = fyr_client.create(document).json["content"]
    assert told == [{"attachment": attachment}]
    assert fyr_client.create(text).json["content"] == text["content"]
    said = fyr_client.post("Binary", HOME * 1000, Content_Type="application/pdf").json
    raw = fyr_client.get(f"Binary/{said['id']}", Accept="application/pdf").body
    assert raw == HOME * 1000


def test_what_is_not_written_anew_is_kept_as_it_is(fyr_client: Client) -> None:
    for kind, head in TELLING.items():
        resource = media(head + HOME, contentType=kind)
        path = f"Media/{fyr_client.create(resource).json['id']}"
        assert content(fyr_client, path) == head + HOME


def test_a_webp_tells_nothing(fyr_client: Client) -> None:
    exif, out = Image.Exif(), BytesIO()
    exif[0x010E] = HOME.decode()
    Image.effect_noise((40, 40), 60).convert("RGB").save(out, "WEBP", exif=exif)
    assert HOME in out.getvalue()
    resource = media(out.getvalue(), contentType="application/octet-stream")

    kept = content(fyr_client, f"Media/{fyr_client.create(resource).json['id']}")

    assert HOME not in kept
    assert Image.open(BytesIO(kept)).format == "WEBP"
