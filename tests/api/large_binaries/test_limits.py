"""Limits of large content: bytes, memory, and stores that are damaged or away."""

import base64
import gzip
import tracemalloc
from contextlib import suppress
from typing import Any

import httpx
import pytest

from fyr.core import Operation, OperationParameter, Refused, RequestContext, hookimpl
from fyr.core.app import Application
from fyr.core.hooks.plugin import Plugin
from fyr.core.interactions import Incoming
from fyr.core.testing.applications import Server
from fyr.core.testing.client import Answer, Client

from .stored import LARGE, PDF, raw, rows, stored

SYSTEM_LEVEL: Any = frozenset({"system"})


class TestLimits:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        limits = {"threshold_bytes": 1024, "max_bytes": 2_000_000}
        return {"server": {"max_body_bytes": 10_000}, "blobs": limits}

    def test_what_is_larger_than_a_resource_but_no_larger_than_a_blob_is_taken(
        self, fyr_server: Server
    ) -> None:
        content = LARGE * 6
        with httpx.Client(base_url=fyr_server.base) as http:
            typed = {"Content-Type": PDF}
            made = http.post("/Binary", content=content, headers=typed)
            path = f"/Binary/{made.json()['id']}"
            back = http.get(path, headers={"Accept": PDF})
            beyond = http.post("/Binary", content=content * 2, headers=typed)
            other = http.post("/Patient", content=content, headers=typed)

        assert (made.status_code, back.content) == (201, content)
        assert (beyond.status_code, other.status_code) == (413, 413)

    def test_what_unpacks_to_more_is_refused(
        self, fyr_client: Client, fyr_app: Application
    ) -> None:
        bomb = gzip.compress(bytes(2_000_001))
        answer = fyr_client.post(
            "Binary", bomb, Content_Type=PDF, Content_Encoding="gzip"
        )

        assert answer.status == 413
        assert list(fyr_app.blobs.store.walk()) == []


class TestMemory:
    def test_64_megabytes_pass_in_little_memory(self, fyr_server: Server) -> None:
        size = 64 * 1024 * 1024
        block = LARGE[:262_144]

        def sent() -> Any:
            for _ in range(size // len(block)):
                yield block

        with httpx.Client(base_url=fyr_server.base, timeout=120) as http:
            tracemalloc.start()
            try:
                headers = {"Content-Type": PDF, "Prefer": "return=minimal"}
                made = http.post("/Binary", content=sent(), headers=headers)
                path = made.headers["location"].partition("/_history")[0]
                count = 0
                with http.stream("GET", path, headers={"Accept": PDF}) as answer:
                    for chunk in answer.iter_bytes():
                        count += len(chunk)
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        assert (made.status_code, count) == (201, size)
        assert peak < 32 * 1024 * 1024


def keep(call: Any) -> Any:
    """Store a large Binary within an operation, and refuse when it is told to."""
    context = RequestContext(
        call.context.service, "create", "Binary", parent=call.context
    )
    data = base64.b64encode(LARGE).decode()
    owner = {"reference": f"Patient/{call.value('owner')}"}
    binary = {
        "resourceType": "Binary",
        "contentType": PDF,
        "securityContext": owner,
        "data": data,
    }
    stored = call.interactions.create(context, Incoming(binary)).resource()
    if call.value("owner") == "refused":
        raise Refused("no")
    return stored


class Keeping(Plugin):
    """Offers ``$keep``."""

    @hookimpl
    def register_operations(self) -> list[Operation]:
        owner = OperationParameter("owner", "string", 1)
        return [
            Operation(
                "keep", keep, SYSTEM_LEVEL, affects_state=True, parameters=(owner,)
            )
        ]


class TestWithinAnOperation:
    @pytest.fixture
    def fyr_plugins(self) -> dict[str, object]:
        return {"keeping": Keeping}

    def test_content_stands_and_falls_with_the_operation(
        self, fyr_client: Client, fyr_app: Application
    ) -> None:
        def call(owner: str) -> Answer:
            sent = [{"name": "owner", "valueString": owner}]
            return fyr_client.post(
                "$keep", {"resourceType": "Parameters", "parameter": sent}
            )

        assert call("refused").status == 422
        assert rows(fyr_app) == []
        kept = call("kept")
        assert raw(fyr_client, f"Binary/{kept.json['id']}").body == LARGE


class TestDamage:
    def test_what_was_changed_on_the_disk_is_cut_off_and_never_sent(
        self, fyr_server: Server
    ) -> None:
        application = fyr_server.application
        content = LARGE * 4
        with httpx.Client(base_url=fyr_server.base, timeout=60) as http:
            made = http.post("/Binary", content=content, headers={"Content-Type": PDF})
            path = f"/Binary/{made.json()['id']}"
            (kept,) = application.blobs.store.walk()
            folder = application.settings.data_dir / "blobs"
            file = folder / kept.key[:2] / kept.key[2:4] / kept.key
            damaged = bytearray(file.read_bytes())
            damaged[700_000] ^= 1
            file.write_bytes(damaged)

            for accept in (PDF, "application/fhir+json"):
                arrived = b""
                with http.stream("GET", path, headers={"Accept": accept}) as answer:
                    pieces = answer.iter_bytes()
                    with suppress(httpx.RemoteProtocolError):
                        for piece in pieces:
                            arrived += piece
                assert len(arrived) < int(answer.headers["content-length"])
                if accept == PDF:
                    assert 0 < len(arrived) <= 700_000
                    assert content.startswith(arrived)
            untouched = {"Accept": PDF, "Range": "bytes=0-99999"}
            assert http.get(path, headers=untouched).content == content[:100_000]


class Hiding(Plugin):
    """Shows no content."""

    @hookimpl
    def before_show(self, resource: dict[str, Any]) -> dict[str, Any]:
        hidden = ("data", "_data")
        return {key: value for key, value in resource.items() if key not in hidden}


class TestHidden:
    @pytest.fixture
    def fyr_plugins(self) -> dict[str, object]:
        return {"hiding": Hiding}

    def test_content_that_a_plugin_hides_is_not_sent(self, fyr_client: Client) -> None:
        path = stored(fyr_client)

        assert "data" not in fyr_client.get(path).json
        assert LARGE[:50] not in raw(fyr_client, path).body


class TestDown:
    """The folder of blobs cannot be used."""

    def test_content_is_refused_and_nothing_else(
        self, fyr_client: Client, fyr_app: Application
    ) -> None:
        path = stored(fyr_client)
        folder = fyr_app.settings.data_dir / "blobs"
        folder.rename(folder.with_name("away"))
        folder.write_bytes(b"in the way")

        for answer in (
            raw(fyr_client, path),
            fyr_client.get(path),
            fyr_client.post("Binary", LARGE, Content_Type=PDF),
        ):
            assert answer.status == 503
            assert answer.headers["retry-after"] == "5"
        assert fyr_client.create({"resourceType": "Patient"}).status == 201
        ready = fyr_client.get("/health/ready")
        assert (ready.status, ready.json["status"]) == (200, "degraded")
        told = ready.json["ports"]["blobs"]
        assert (told["status"], told["kind"]) == ("down", "filesystem")
        assert told["problem"] == "the folder of blobs cannot be written"

        folder.unlink()
        folder.with_name("away").rename(folder)
        assert raw(fyr_client, path).body == LARGE
