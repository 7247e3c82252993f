"""Attacks on the Key Service: which keys are there, and many ids from one address.

Guessing at all processes at once: ``tests/journeys/test_key_service_brute_force.py``.
"""

import json
from collections.abc import Callable, Iterator
from threading import get_ident
from typing import Any
from uuid import uuid4

import argon2
import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock

API = "/keyservice/api"


@pytest.fixture
def built(tmp_path: Any) -> Iterator[Application]:
    options = {
        "plugins": {"enabled": ["key_service", "audit"]},
        "plugin": {
            "audit": {"user_types": ["PATIENT"]},
            "key_service": {"hash_memory_kib": 32, "address_attempts": 20},
        },
    }
    with application(settings_with(options, tmp_path), FakeClock()) as made:
        yield made


@pytest.fixture
def client(built: Application) -> Client:
    return client_of(built)


def post(client: Client, name: str, body: dict[str, str], **headers: str) -> Answer:
    told = {"Content-Type": "application/json", **headers}
    text = json.dumps(body).encode()
    return client.request("POST", f"{API}/{name}", body=text, headers=told)


def create(client: Client) -> dict[str, str]:
    body = {"clientName": "app", "deviceName": "", "secret": "0042"}
    made: dict[str, str] = post(client, "createKey", body).json
    return made


def guess(client: Client, key_id: str, secret: str = "0000") -> Answer:
    return post(client, "key", {"keyId": key_id, "secret": secret})


def test_who_tries_many_ids_is_stopped_by_the_address(client: Client) -> None:
    told = [guess(client, str(uuid4())).status for _ in range(25)]

    assert told == [200] * 20 + [429] * 5


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_no_header_makes_an_address_another(client: Client, name: str) -> None:
    body = {"keyId": str(uuid4()), "secret": "0000"}
    told = [
        post(client, "key", {**body, "keyId": str(uuid4())}, **{name: f"192.0.2.{n}"})
        for n in range(25)
    ]

    assert [one.status for one in told].count(429) == 5


def test_an_id_without_a_key_costs_as_many_statements_and_hashes(
    client: Client, built: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a clock would show, counted: for an id that is new and one that was tried."""
    done: list[str] = []
    mine = get_ident()

    def noted(home: Any, name: str) -> None:
        original: Callable[..., Any] = getattr(home, name)

        def call(self: Any, *args: Any, **more: Any) -> Any:
            # What other threads look after is no part of the answer.
            if get_ident() == mine:
                done.append(f"{name} {args[0] if name != 'verify' else ''}")
            return original(self, *args, **more)

        monkeypatch.setattr(home, name, call)

    known, unknown = create(client)["keyId"], str(uuid4())
    sessions = type(built.database.read(lambda session: session))
    for home, name in (
        (sessions, "rows"),
        (sessions, "run"),
        (argon2.PasswordHasher, "verify"),
    ):
        noted(home, name)

    def work(key_id: str, secret: str = "0000") -> list[str]:
        done.clear()
        guess(client, key_id, secret)
        return list(done)

    for _ in range(7):
        assert work(known) == work(unknown)
    counted = work(str(uuid4()))
    assert sum(one.startswith("verify") for one in counted) == 1
    assert sum(one.startswith("run") for one in counted) == 1  # the audit log's row
    assert len(work(create(client)["keyId"], "0042")) > len(counted)


def test_a_malformed_id_tells_nothing_of_ids(client: Client) -> None:
    key_id = create(client)["keyId"]

    for near in (key_id.upper(), key_id[:-1], f"{key_id} ", f"{{{key_id}}}"):
        assert guess(client, near, "0042").status in (200, 400)
        assert b'"key"' not in guess(client, near, "0042").body


def test_a_long_secret_is_no_secret_and_the_other_way_round(client: Client) -> None:
    made = create(client)
    key_id, long_secret = made["keyId"], made["longSecret"]

    assert guess(client, key_id, long_secret).json == {"status": "INVALID_SECRET"}
    body = {"keyId": key_id, "longSecret": "0042"}
    assert post(client, "longKey", body).status == 400


def test_no_answer_repeats_a_secret(client: Client) -> None:
    for body in (
        {"keyId": "x", "secret": "sesame-sesame"},
        {"keyId": str(uuid4()), "secret": "sesame-sesame"},
        {"keyId": str(uuid4()), "secret": "sesame-sesame" * 20},
        {"secret": "sesame-sesame"},
    ):
        for name in ("key", "longKey", "createKey"):
            assert b"sesame" not in post(client, name, body).body
