"""The Storage Service API: what is read, and thumbnails."""

from io import BytesIO

import pytest
from PIL import Image

from fyr.core.app import Application
from fyr.core.blobs.sweep import Sweep
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

from .pictures import CONTENT, OWN, PDF, picture, post, put, stored


def drain(app: Application) -> None:
    app.worker().drain()


class TestReading:
    @pytest.mark.parametrize(
        ("accept", "status"),
        [
            ("application/pdf", 200),
            ("application/*", 200),
            ("*/*;q=0.1", 200),
            ("text/plain", 406),
            ("text/plain, image/*", 406),
        ],
    )
    def test_accept_covers_the_type(
        self, system: Client, accept: str, status: int
    ) -> None:
        assert system.get(stored(system), Accept=accept).status == status

    def test_ranges_and_conditions(self, system: Client) -> None:
        url = stored(system, PDF, "application/pdf", OWN)
        part = system.get(url, Range="bytes=0-4")

        assert (part.status, part.body) == (206, b"%PDF-")
        assert system.get(url, Range="bytes=999999-").status == 416
        assert system.get(url, If_None_Match='"1"').status == 304
        head = system.request("HEAD", url)
        assert (head.headers["content-length"], head.body) == (str(len(PDF)), b"")

    @pytest.mark.parametrize("content_id", ["x", "0" * 36, "%2e%2e"])
    def test_what_is_not_there_is_not_found(
        self, system: Client, content_id: str
    ) -> None:
        for answer in (
            system.get(f"{CONTENT}/{content_id}"),
            system.get(f"{CONTENT}/{content_id}/thumbnail"),
            put(system, f"{CONTENT}/{content_id}", PDF),
        ):
            assert answer.status == 404
            assert answer.json["resourceType"] == "OperationOutcome"


class TestThumbnails:
    @pytest.mark.parametrize("params", [None, OWN])
    def test_a_thumbnail_is_made_after_the_commit(
        self, system: Client, fyr_app: Application, params: dict[str, str] | None
    ) -> None:
        answer = post(system, picture(), "image/jpeg", params)
        url = answer.headers["location"].removeprefix("http://localhost")
        assert answer.json["thumbnail"] == "requested"
        assert system.get(f"{url}/thumbnail").status == 404

        drain(fyr_app)
        made = system.get(f"{url}/thumbnail")
        assert made.headers["content-type"] == "image/png"
        assert Image.open(BytesIO(made.body)).size == (64, 32)
        assert system.get(f"{url}/metadata").json["thumbnail"] == "present"
        assert system.get(f"{url}/thumbnail", Accept="image/jpeg").status == 406

    def test_it_is_that_of_the_content_that_is_there(
        self, system: Client, fyr_app: Application, fyr_clock: FakeClock
    ) -> None:
        url = stored(system, picture(), "image/jpeg")
        put(system, url, picture("PNG", (100, 200)), kind="image/png")
        drain(fyr_app)
        assert Image.open(BytesIO(system.get(f"{url}/thumbnail").body)).size == (32, 64)

        put(system, url, PDF)
        assert system.get(f"{url}/thumbnail").status == 404
        fyr_clock.advance(days=1)
        Sweep(fyr_app.blobs).sweep()
        assert len(list(fyr_app.blobs.store.walk())) == 1

    def test_other_content_has_none(self, system: Client, fyr_app: Application) -> None:
        url = stored(system)
        drain(fyr_app)

        assert system.get(f"{url}/thumbnail").status == 404
        assert "thumbnail" not in system.get(f"{url}/metadata").json
