"""The Storage Service API: what is refused, and to whom."""

from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from fyr.core.testing.client import Client
from fyr.core.testing.principals import PRACTITIONER

from .pictures import CITIZEN, OWN, PDF, picture, post, stored


class TestChecks:
    @pytest.mark.parametrize(
        ("kind", "content", "status"),
        [
            ("application/pdf", b"MZ\x90 no pdf", 422),
            ("image/png", PDF, 422),
            ("image/png", b"\x89PNG\r\n\x1a\n broken", 422),
            ("text/plain", b"a\x00b", 422),
            ("text/plain", "blåbærgrød".encode(), 201),
            ("text/html", b"<script>", 415),
            ("image/svg+xml", b"<svg/>", 415),
            ("application/pdf", b"", 422),
        ],
    )
    def test_content_is_what_it_says(
        self, system: Client, kind: str, content: bytes, status: int
    ) -> None:
        assert post(system, content, kind).status == status

    def test_a_small_file_with_a_huge_picture_is_refused(self, system: Client) -> None:
        bomb = picture("PNG", (9000, 9000))

        answer = post(system, bomb, "image/png")

        assert answer.status == 422
        assert "more than 40000000" in answer.issues[0]

    def test_what_a_picture_tells_beside_itself_is_left_out(
        self, system: Client
    ) -> None:
        exif = Image.Exif()
        exif[0x010E] = "Åse Berg, Skolegade 7"
        exif.get_ifd(0x8825)[1] = "N"
        for kind, more in (
            ("JPEG", {"exif": exif, "comment": b"Skolegade"}),
            ("PNG", {"exif": exif}),
            ("GIF", {"comment": b"Skolegade 7"}),
        ):
            sent = picture(kind, **more)
            assert b"Skolegade" in sent
            body = system.get(stored(system, sent, f"image/{kind.lower()}")).body

            assert b"Skolegade" not in body
            assert not Image.open(BytesIO(body)).getexif()
            assert Image.open(BytesIO(body)).size == (200, 100)

    def test_a_picture_stays_turned_the_right_way(self, system: Client) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        url = stored(system, picture(exif=exif), "image/jpeg")

        assert Image.open(BytesIO(system.get(url).body)).size == (100, 200)


class TestClosed:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {
            "security": {"mode": "closed"},
            "plugins": {"enabled": ["search", "storage_service"]},
        }

    def test_who_is_not_known_reads_nothing(
        self, fyr_client: Client, system: Client
    ) -> None:
        assert fyr_client.get(stored(system)).status == 401


class TestBehindAccessControl:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {
            "security": {"mode": "closed"},
            "plugins": {"enabled": ["search", "access_control", "storage_service"]},
        }

    def test_the_service_decides_itself_by_the_content(
        self, fyr_client: Client, system: Client
    ) -> None:
        general, own = stored(system), stored(system, PDF, "application/pdf", OWN)

        may = frozenset({"DocumentReference.read"})
        nurse = fyr_client.acting_as(replace(PRACTITIONER, privileges=may))
        assert (nurse.get(general).status, nurse.get(own).status) == (200, 403)
        citizen = fyr_client.acting_as(replace(CITIZEN, privileges=may))
        assert citizen.get(own).body == PDF
