"""Pictures that are refused, and types for which nothing is said."""

import base64
from typing import Any

import pytest

from fyr.config.load import ConfigError
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

from .pictures import HOME, JPEG, SMALL, TELLING, content, created, media, packed


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
