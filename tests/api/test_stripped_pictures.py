"""Pictures lose what they tell beside themselves, of types for which that is said."""

import base64
import hashlib
import threading
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core.pictures import writing as pictures
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock

JPEG = "image/jpeg"
JSON_PATCH = "application/json-patch+json"
HOME = b"Skolegade 7"
THRESHOLD = 4096


def photo(side: int = 40) -> bytes:
    """Make a photo that says where it was taken."""
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = HOME.decode(), 6
    out = BytesIO()
    picture = Image.effect_noise((side, side), 60).convert("RGB")
    picture.save(out, "JPEG", exif=exif, comment=HOME)
    assert out.getvalue().count(HOME) == 2
    return out.getvalue()


SMALL, LARGE = photo(), photo(300)
SIZES = pytest.mark.parametrize("sent", [SMALL, LARGE], ids=["small", "large"])


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    types = ["Media", "Patient", "Binary"]
    return {"blobs": {"threshold_bytes": THRESHOLD, "strip_pictures": types}}


def packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


def media(data: bytes, **more: Any) -> dict[str, Any]:
    content = {"contentType": JPEG, "data": packed(data), **more}
    return {"resourceType": "Media", "status": "completed", "content": content}


def content(client: Client, path: str) -> bytes:
    return base64.b64decode(client.get(path).json["content"]["data"])


def created(client: Client, sent: bytes) -> Answer:
    return client.create(media(sent))


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


class Gate:
    """Where pictures wait to be written anew."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()

    def __enter__(self) -> None:
        self.reached.set()
        assert self.open.wait(60)

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("conditional", [False, True])
def test_a_picture_of_a_patch_is_written_anew_while_others_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, conditional: bool
) -> None:
    options = {
        "store": {"url": "sqlite:///fyr.db"},
        "blobs": {"strip_pictures": ["Media"]},
    }
    gate, answers = Gate(), []
    with application(settings_with(options, tmp_path), FakeClock()) as app:
        one, other = client_of(app), client_of(app)
        one.update({**media(b""), "id": "m", "content": {"contentType": JPEG}})
        monkeypatch.setattr(pictures, "_AT_ONCE", gate)
        path = "Media?_id=m" if conditional else "Media/m"
        step = {"op": "add", "path": "/content/data", "value": packed(LARGE)}

        def patch() -> None:
            answers.append(one.patch(path, [step], JSON_PATCH))

        thread = threading.Thread(target=patch)
        thread.start()
        assert gate.reached.wait(60)
        written = other.create({"resourceType": "Basic", "code": {"text": "x"}})
        gate.open.set()
        thread.join()

        assert written.status == 201, written.body
        assert answers[0].status == 200, answers[0].body
        assert HOME not in content(one, "Media/m")


XML = "application/xml-patch+xml"
PARTS = [
    {"name": "type", "valueCode": "add"},
    {"name": "path", "valueString": "Media.content"},
    {"name": "name", "valueString": "data"},
]


@pytest.mark.parametrize("form", ["fhirpath", "xml"])
@pytest.mark.parametrize("sent", [SMALL, SMALL[:-50]], ids=["whole", "broken"])
def test_pictures_in_patches_of_each_kind(
    fyr_client: Client, form: str, sent: bytes
) -> None:
    fyr_client.update({**media(b""), "id": "m", "content": {"contentType": JPEG}})
    if form == "xml":
        element = f'<data xmlns="http://hl7.org/fhir" value="{packed(sent)}"/>'
        diff = f'<diff xmlns:f="http://hl7.org/fhir"><add sel="f:Media/f:content">{element}</add></diff>'
        answer = fyr_client.patch("Media/m", diff.encode(), XML)
    else:
        value = {"name": "value", "valueBase64Binary": packed(sent)}
        operation = {"name": "operation", "part": [*PARTS, value]}
        body = {"resourceType": "Parameters", "parameter": [operation]}
        answer = fyr_client.patch("Media/m", body, "application/fhir+json")

    if sent is SMALL:
        assert answer.status == 200, answer.body
        assert HOME not in content(fyr_client, "Media/m")
    else:
        assert (answer.status, answer.issues) == (422, ["the picture is broken"])
        assert answer.json["issue"][0]["expression"] == ["Media.content.data"]


#: How content begins that may tell place and time, and is not written anew.
TELLING = {
    "image/heic": b"\0\0\0\x18ftypheic",
    "video/mp4": b"\0\0\0\x18ftypisom",
    "video/quicktime": b"\0\0\0\x14ftypqt  ",
    "image/tiff": b"II*\0\x08\0\0\0",
    "video/webm": b"\x1aE\xdf\xa3\x01\0\0\0",
    "audio/mpeg": b"ID3\x04\0\0\0\0\0",
    "image/x-unknown": b"what is it",
}


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


class TestRefused:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        enabled = ["search", "clinical", "administrative", "storage_service"]
        types = ["Media", "Binary"]
        return {
            "blobs": {"strip_pictures": types, "unstripped": "refuse"},
            "plugins": {"enabled": enabled},
        }

    @pytest.mark.parametrize("kind", TELLING)
    @pytest.mark.parametrize("honest", [True, False])
    def test_what_is_not_written_anew_can_be_refused(
        self, fyr_client: Client, kind: str, honest: bool
    ) -> None:
        sent, told = TELLING[kind] + HOME, kind if honest else "application/pdf"
        answer = fyr_client.create(media(sent, contentType=told))
        binary = fyr_client.post("Binary", sent, Content_Type=told)
        refused = honest or kind != "image/x-unknown"

        assert answer.status == binary.status == (422 if refused else 201)
        if refused:
            assert "may tell place and time" in answer.issues[0]
            (issue,) = answer.json["issue"]
            assert issue["expression"] == ["Media.content.data"]
            assert "may tell place and time" in binary.issues[0]

    @pytest.mark.parametrize(
        ("kind", "told"),
        [
            ("image/heic", "send a picture as one of image/gif, "),
            ("video/mp4", "films and sounds are not taken"),
            ("audio/mpeg", "films and sounds are not taken"),
            ("application/pdf", "not taken, and pictures as one of image/gif, "),
        ],
    )
    def test_it_tells_what_fits_what_was_sent(
        self, fyr_client: Client, kind: str, told: str
    ) -> None:
        sent = TELLING["video/mp4"] + HOME
        answer = fyr_client.post("Binary", sent, Content_Type=kind)

        assert told in answer.issues[0]
        is_film = kind.startswith(("video/", "audio/"))
        assert is_film == ("image/gif" not in answer.issues[0])

    def test_the_storage_service_refuses_it_too(self, fyr_client: Client) -> None:
        sent = TELLING["video/mp4"] + HOME
        answer = fyr_client.post("/storage/api/content", sent, Content_Type="video/mp4")

        assert answer.status == 422, answer.body
        assert "may tell place and time" in answer.issues[0]

    def test_a_picture_that_cannot_be_read_is_told_with_its_place(
        self, fyr_client: Client
    ) -> None:
        """Nothing is stored: who sent it still has it, and knows which one it is."""
        answer = fyr_client.create(media(SMALL[:-50]))

        assert (answer.status, answer.issues) == (422, ["the picture is broken"])
        assert answer.json["issue"][0]["expression"] == ["Media.content.data"]
        assert fyr_client.get("Media").resources == []

    def test_documents_stay(self, fyr_client: Client) -> None:
        resource = media(b"%PDF-1.7" + HOME, contentType="application/pdf")
        path = f"Media/{fyr_client.create(resource).json['id']}"

        assert content(fyr_client, path) == b"%PDF-1.7" + HOME


class TestUnset:
    """Plugins say which types they mean."""

    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {
            "plugins": {
                "enabled": ["search", "administrative", "clinical", "storage_service"]
            }
        }

    def test_media_and_documents_tell_nothing(self, fyr_client: Client) -> None:
        path = f"Media/{created(fyr_client, SMALL).json['id']}"
        attachment = {"contentType": JPEG, "data": packed(SMALL)}
        document = {
            "resourceType": "DocumentReference",
            "status": "current",
            "content": [{"attachment": attachment}],
        }
        (one,) = fyr_client.create(document).json["content"]
        binary = fyr_client.post("Binary", SMALL, Content_Type=JPEG).json

        assert HOME not in content(fyr_client, path)
        assert HOME not in base64.b64decode(one["attachment"]["data"])
        assert binary["data"] == packed(SMALL)


class TestWithoutPlugins:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {}

    def test_every_byte_stays(self, fyr_client: Client) -> None:
        path = f"Media/{created(fyr_client, SMALL).json['id']}"
        assert content(fyr_client, path) == SMALL


def test_a_type_that_there_is_not_stops_the_start(tmp_path: Any) -> None:
    options = {"blobs": {"strip_pictures": ["Medai"]}}
    with (
        pytest.raises(ConfigError, match="no resource type: Medai"),
        application(settings_with(options, tmp_path), FakeClock()),
    ):
        pass
