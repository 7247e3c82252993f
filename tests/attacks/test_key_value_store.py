"""Attacks on the Key Value Store: paths, sizes, numbers of others, made-up requests."""

import gzip
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fyr.core import Principal
from fyr.core.app import Application
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock

BASE = "/kvstore/api"
AREA = f"{BASE}/ehealth/properties/app"
CLIENTS = [{"realm": "ehealth", "client_id": "app", "system_users": ["backend"]}]
SYSTEM = Principal("SYSTEM", "backend", realm="ehealth")
ADA = Principal("PATIENT", "ada", realm="ehealth", client_id="app")
BOB = Principal("PATIENT", "bob", realm="ehealth", client_id="app")
TEXT = {"Content-Type": "text/plain"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    options = {
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["access_control", "key_value_store"]},
        "plugin": {"key_value_store": {"clients": CLIENTS, "max_bytes": 10_000}},
    }
    folder = tmp_path_factory.mktemp("kv")
    with application(settings_with(options, folder), FakeClock()) as made:
        client_of(made).acting_as(SYSTEM).request("PUT", AREA)
        yield made


@pytest.fixture
def bob(built: Application) -> Client:
    """A user who wants more than is his, when others have values."""
    everybody = client_of(built)
    for who, url in ((SYSTEM, f"{AREA}/secret"), (ADA, f"{AREA}/user/me/secret")):
        everybody.acting_as(who).request("PUT", url, body=b"sesame", headers=TEXT)
    return everybody.acting_as(BOB)


@pytest.mark.parametrize(
    "path",
    [
        "user/bob/../ada/secret",
        "user/bob%2F..%2Fada/secret",
        "user/bob/..%2fada%2fsecret",
        "user//secret",
        "user/ada%00/secret",
        "user/ada/secret/",
        "user/ada;x/secret",
        "user/ADA/secret",
        "user/ada%20/secret",
        "user/~YWRh/secret",
        "user/%61da/secret",
        "user/me%2f..%2fada/secret",
        "user/%ef%bc%a1da/secret",
    ],
)
def test_no_way_of_writing_a_path_leads_to_what_others_have(
    bob: Client, path: str
) -> None:
    for answer in (
        bob.get(f"{AREA}/{path}"),
        bob.request(
            "PUT", f"{AREA}/{path}", body=b"x", headers={**TEXT, "If-Match": "*"}
        ),
        bob.request("DELETE", f"{AREA}/{path}", headers={"If-Match": "*"}),
    ):
        assert 400 <= answer.status < 500
        assert b"sesame" not in answer.body


@settings(
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.text(min_size=1, max_size=40), st.booleans())
def test_no_user_s_name_but_one_s_own_leads_anywhere(
    bob: Client, name: str, twice: bool
) -> None:
    try:
        written = quote(quote(name, safe="") if twice else name, safe="")
    except UnicodeEncodeError:
        written = "%ed%a0%80"
    answer = bob.get(f"{AREA}/user/{written}/secret")

    assert answer.status in (400, 404)
    assert b"sesame" not in answer.body


def test_no_number_leads_to_what_others_have(bob: Client, built: Application) -> None:
    found = {
        number: bob.get(f"{BASE}/ehealth/property/{number}")
        for number in [*range(1, 20), 2**31 - 1, 2**31, 10**30]
    }
    readable = [number for number, answer in found.items() if answer.status == 200]
    rows = built.database.rows(
        "SELECT id FROM key_value_store_value WHERE owner IN ('', 'bob')"
    )

    assert readable == [row[0] for row in rows]
    assert {one.status for one in found.values()} == {200, 404}
    refused = {one.body for one in found.values() if one.status == 404}
    assert len(refused) == 1


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"x" * 10_001, {}, 413),
        (gzip.compress(b"x" * 10_001, mtime=0), {"Content-Encoding": "gzip"}, 413),
        (gzip.compress(b"x" * 10_000, mtime=0), {"Content-Encoding": "gzip"}, 201),
        (b"no gzip", {"Content-Encoding": "gzip"}, 400),
        (b"x", {"Content-Encoding": "br"}, 415),
        (b"x", {"If-Match": '"' + "9" * 5000 + '"'}, 412),
        (b"x", {"If-Match": "x" * 5000}, 400),
    ],
)
def test_what_is_too_large_is_refused(
    bob: Client, content: bytes, headers: dict[str, str], status: int
) -> None:
    url = f"{AREA}/user/me/large-{status}"

    answer = bob.request("PUT", url, body=content, headers={**TEXT, **headers})

    assert answer.status == status


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "text/javascript"])
def test_what_would_run_as_a_page_is_a_file_in_a_sandbox(
    built: Application, kind: str
) -> None:
    client = client_of(built).acting_as(ADA)
    url = f"{AREA}/user/me/{kind.replace('/', '-').replace('+', '-')}"
    headers = {"Content-Type": kind}
    client.request("PUT", url, body=b"<script>alert(1)</script>", headers=headers)

    answer = client.get(url)
    assert answer.headers["content-type"] == kind
    assert answer.headers["content-disposition"] == "attachment"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
