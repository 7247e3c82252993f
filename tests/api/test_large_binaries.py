"""A Binary that is too large for the database: https://hl7.org/fhir/R4/binary.html#rest."""

import base64
import gzip
import tracemalloc
from contextlib import suppress
from random import Random
from typing import Any

import httpx
import pytest

from fyr.core import (
    Operation,
    OperationParameter,
    Refused,
    RequestContext,
    hookimpl,
)
from fyr.core.app import Application
from fyr.core.blobs.sweep import Sweep
from fyr.core.hooks.plugin import Plugin
from fyr.core.interactions import Incoming
from fyr.core.testing.applications import Server
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock

THRESHOLD = 4096
LARGE = Random(7).randbytes(300_001)
OTHER = Random(8).randbytes(100_000)
PDF = "application/pdf"
SYSTEM_LEVEL: Any = frozenset({"system"})


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    return {"blobs": {"threshold_bytes": THRESHOLD}}


def stored(client: Client, content: bytes = LARGE, **headers: str) -> str:
    answer = client.post("Binary", content, Content_Type=PDF, **headers)
    assert answer.status == 201, answer.body
    return f"Binary/{answer.json['id']}"


def raw(client: Client, path: str, **headers: str) -> Answer:
    return client.get(path, Accept=PDF, **headers)


def rows(app: Application) -> list[str]:
    found = app.database.rows("SELECT state FROM blob ORDER BY created, id")
    return [row[0] for row in found]


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


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=65530-65600", 65_530, 65_601),
        ("bytes=300000-", 300_000, 300_001),
        ("bytes=-5", 299_996, 300_001),
        ("bytes=1-999999999", 1, 300_001),
        ("bytes=-999999999", 0, 300_001),
    ],
)
def test_a_range_is_answered(
    fyr_client: Client, asked: str, start: int, end: int
) -> None:
    answer = raw(fyr_client, stored(fyr_client), Range=asked)

    assert (answer.status, answer.body) == (206, LARGE[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/300001"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize(
    "asked", ["bytes=5-2", "lines=1-2", "bytes=1-2,5-6", "bytes=-", "bytes=a-b"]
)
def test_a_range_that_is_none_is_ignored(fyr_client: Client, asked: str) -> None:
    answer = raw(fyr_client, stored(fyr_client), Range=asked)

    assert (answer.status, answer.body) == (200, LARGE)


@pytest.mark.parametrize("asked", ["bytes=300001-", "bytes=900000-900001", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(fyr_client: Client, asked: str) -> None:
    answer = raw(fyr_client, stored(fyr_client), Range=asked)

    assert answer.status == 416
    assert answer.headers["content-range"] == "bytes */300001"


def test_a_range_is_answered_only_of_the_version_that_it_is_meant_for(
    fyr_client: Client,
) -> None:
    path = stored(fyr_client)
    first = raw(fyr_client, path).headers
    assert first["etag"] == '"1"'

    same = [
        raw(fyr_client, path, Range="bytes=1-2", If_Range=first[name]).status
        for name in ("etag", "last-modified")
    ]
    fyr_client.put(path, OTHER, Content_Type=PDF)
    later = raw(fyr_client, path, Range="bytes=1-2", If_Range='"1"')
    weak = raw(fyr_client, path, Range="bytes=1-2", If_Range='W/"2"')

    assert same == [206, 206]
    assert [(one.status, one.body) for one in (later, weak)] == [(200, OTHER)] * 2


def test_who_has_the_content_already_is_not_sent_it_again(fyr_client: Client) -> None:
    path = stored(fyr_client)

    assert raw(fyr_client, path, If_None_Match='"1"').status == 304
    assert fyr_client.put(path, OTHER, Content_Type=PDF, If_Match='"1"').status == 200


def test_head_tells_about_the_content(fyr_client: Client) -> None:
    path = stored(fyr_client)

    native = fyr_client.request("HEAD", path, headers={"Accept": PDF})
    fhir = fyr_client.request("HEAD", path)

    assert (native.headers["content-length"], native.body) == ("300001", b"")
    whole = len(fyr_client.get(path).body)
    assert (fhir.headers["content-length"], fhir.body) == (str(whole), b"")


def test_packed_content_is_unpacked(fyr_client: Client) -> None:
    packed = gzip.compress(LARGE)

    path = stored(fyr_client, packed, Content_Encoding="gzip")
    cut = fyr_client.post(
        "Binary", packed[:-9], Content_Type=PDF, Content_Encoding="gzip"
    )

    assert raw(fyr_client, path).body == LARGE
    assert cut.status == 400


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
