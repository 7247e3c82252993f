"""Pictures in patches lose what they tell beside themselves."""

import threading
from pathlib import Path

import pytest

from fyr.core.pictures import writing as pictures
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

from .pictures import HOME, JPEG, JSON_PATCH, LARGE, SMALL, content, media, packed


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
