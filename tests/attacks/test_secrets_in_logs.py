"""Somebody who reads the log: no token, password, secret or CPR number is in it.

A real server at its most talkative, on its good and its bad days.
"""

import json
import subprocess
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from fyr.config.settings import Settings
from fyr.core.observability.masking import HIDDEN, masked, remember_secrets
from fyr.core.testing.process import fyr_command, fyr_process

ADMIN = "admin-7f3a9c"
LINK = "link-51ce88"
STORE = "store-0b1e77"
PLUGIN = "plugin-e2d4aa"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
BASIC = "dXNlcjpwYXNz"
URL_PASSWORD = "url-9d2f44"
CPR = "0101901234"
CPR_WITH_DASH = "311299-4321"
#: For who has none: the day is 60 more.
SUBSTITUTE = "9112994321"
SECRETS = (
    ADMIN,
    LINK,
    STORE,
    PLUGIN,
    TOKEN,
    BASIC,
    URL_PASSWORD,
    CPR,
    CPR_WITH_DASH,
    SUBSTITUTE,
)

TALKER = f'''
"""A plugin that fails, and puts all that it knows into its exceptions."""

import logging

import structlog
from pydantic import SecretStr

from fyr.core import Manifest, hookimpl
from fyr.core.hooks.plugin import Plugin, PluginSettings

log = structlog.get_logger("talker")


class TalkerSettings(PluginSettings):
    key: SecretStr = SecretStr("")


class Talker(Plugin):
    manifest = Manifest(settings=TalkerSettings)

    def _text(self, about):
        return (
            f"{{about}} {{self.settings.key.get_secret_value()}}"
            " postgresql://fyr:{URL_PASSWORD}@db.example.org/fyr failed"
        )

    @hookimpl
    def request_received(self, context):
        log.debug("received", authorization=context.authorization)
        logging.getLogger("talker.std").warning(
            "asked %s?%s", context.base_url, "&".join(f"{{n}}={{v}}" for n, v in context.params)
        )
        if context.params:
            raise RuntimeError(self._text(context))

    @hookimpl
    def before_interaction(self, context):
        if ("fail", "1") in context.params:
            raise RuntimeError(self._text(context))

    @hookimpl
    def validate(self, context, resource):
        if resource.get("language") == "fail":
            raise RuntimeError(self._text(resource))

    @hookimpl
    def deliver(self, change):
        raise RuntimeError(self._text(change.new))

'''


def patient(language: str = "da") -> dict[str, object]:
    system = "urn:oid:1.2.208.176.1.2"
    numbers = (CPR, CPR_WITH_DASH, SUBSTITUTE)
    identifiers = [{"system": system, "value": one} for one in numbers]
    return {
        "resourceType": "Patient",
        "language": language,
        "identifier": identifiers,
    }


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_log_line_and_no_answer_tells_a_secret(tmp_path: Path, form: str) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "talker.py").write_text(TALKER)
    settings = {
        "SECURITY__ADMIN_TOKEN": ADMIN,
        "SECURITY__LINK_SECRET": LINK,
        "STORE__PASSWORD": STORE,
        "PLUGINS__FOLDER": str(plugins),
        "PLUGIN": json.dumps({"talker": {"key": PLUGIN}}),
        "LOG__LEVEL": "debug",
        "LOG__FORMAT": form,
        "SERVER__ACCESS_LOG": "true",
        "SEARCH__SLOW_MILLIS": "0.000001",
        "EVENTS__ATTEMPTS": "1",
    }
    told: list[str] = []
    with (
        fyr_process(tmp_path, settings=settings) as running,
        httpx.Client(base_url=running.url, timeout=120) as http,
    ):

        def ask(method: str, path: str, *, sent: object = None, **headers: str) -> int:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = http.request(method, path, json=sent, headers=named)
            told.append(f"{answer.headers} {answer.text}")
            return answer.status_code

        bearer = f"Bearer {TOKEN}"
        for authorization in (bearer, f"Basic {BASIC}", f"bearer {ADMIN}x"):
            assert ask("GET", "/fhir/metadata", Authorization=authorization) == 200
            assert ask("GET", "/metrics", Authorization=authorization) == 401
        assert ask("GET", "/metrics", Authorization=f"Bearer {ADMIN}") == 200
        assert ask("GET", "/admin/plugins", Authorization=f"Bearer {ADMIN}") == 200
        assert ask("POST", "/fhir/Patient", sent=patient()) == 201
        assert ask("POST", "/fhir/Patient", sent=patient("fail")) == 500
        told.clear()  # what was stored is shown to who stored it
        for query in (f"identifier={CPR}", f"identifier=x|{CPR_WITH_DASH}"):
            assert ask("GET", f"/fhir/Patient?{query}&_summary=count") == 200
            assert ask("GET", f"/fhir/Patient?fail=1&{query}") == 500
            told.pop()
            told.pop()
        ask("GET", f"/fhir/Patient?access_token={TOKEN}", Authorization=bearer)
        ask("GET", f"/fhir/Patient/none?token={ADMIN}", Authorization=bearer)
        told.pop()
        told.pop()
        ask("GET", f"/fhir/Patient/{CPR}")
        ask("GET", f"/nowhere/{CPR}?x={CPR}")
        told.pop()
        told.pop()
        _until_delivered(tmp_path)
    lines = (tmp_path / "serve.log").read_text().splitlines()

    assert len(lines) > 30
    for event in ("bug in answering", "received", "event failed", "request", "slow"):
        assert any(event in line for line in lines), event
    for secret in SECRETS:
        assert not [line for line in lines if secret in line], secret
        assert not [answer for answer in told if secret in answer], secret


def _until_delivered(folder: Path) -> None:
    """Wait for the worker's line about the event that it could not deliver."""
    tail = subprocess.Popen(
        ["tail", "-n", "+1", "-F", str(folder / "serve.log")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert tail.stdout is not None
    try:
        assert any("event failed" in line for line in tail.stdout)
    finally:
        tail.kill()
        tail.wait()
        tail.stdout.close()


@pytest.mark.parametrize(
    "variables",
    [
        {"FYR_STORE__URL": f"mysql://fyr:{URL_PASSWORD}@127.0.0.1/fyr"},
        {"FYR_STORE__URL": f"postgresql://fyr:{URL_PASSWORD}@127.0.0.1:9/fyr"},
        {"FYR_STORE__URL": f"postgresql://fyr:{URL_PASSWORD}%zz@127.0.0.1:9/fyr"},
        {"FYR_STORE__URL": f"postgresql://fyr:{URL_PASSWORD}@[::1/fyr"},
        {"FYR_SECURITY__ADMIN_TOKEN_FILE": f"/nowhere/{ADMIN[:4]}"},
        {"FYR_PLUGIN": f'{{"talker": {{"key": "{PLUGIN}", "kye": "{PLUGIN}"}}}}'},
        {"FYR_PLUGIN": f'{{"talker": {{"key": "{PLUGIN}"'},
        {"FYR_SECURITY__MODE": f"Bearer {TOKEN}"},
    ],
)
@pytest.mark.parametrize(
    "command", ["serve", "config show", "config check", "migrate", "plugins"]
)
def test_a_server_that_cannot_start_tells_no_secret(
    tmp_path: Path, variables: dict[str, str], command: str
) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "talker.py").write_text(TALKER)
    more = {
        "FYR_PLUGINS__FOLDER": str(plugins),
        "FYR_DATA_DIR": str(tmp_path / "data"),
        "FYR_SERVER__HOST": "192.0.2.1",
        "FYR_LOG__LEVEL": "debug",
    }

    done = subprocess.run(
        [fyr_command(), *command.split()],
        env={"PATH": "/usr/bin:/bin", **more, **variables},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.stdout or done.stderr
    for secret in SECRETS:
        assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["config show", "config check", "plugins"])
def test_settings_are_shown_without_their_secrets(tmp_path: Path, command: str) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "talker.py").write_text(TALKER)
    settings = {
        "FYR_PLUGINS__FOLDER": str(plugins),
        "FYR_PLUGIN": json.dumps({"talker": {"key": PLUGIN}}),
        "FYR_DATA_DIR": str(tmp_path / "data"),
        "FYR_SECURITY__ADMIN_TOKEN": ADMIN,
        "FYR_SECURITY__LINK_SECRET": LINK,
        "FYR_STORE__PASSWORD": STORE,
        "FYR_STORE__URL": f"postgresql://fyr:{URL_PASSWORD}@127.0.0.1:9/fyr",
        "FYR_BLOBS__SECRET_KEY": STORE,
        "FYR_MESSAGES__URL": "mqtt://127.0.0.1:9",
        "FYR_MESSAGES__PASSWORD": STORE,
    }

    done = subprocess.run(
        [fyr_command(), *command.split()],
        env={"PATH": "/usr/bin:/bin", **settings},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.stdout, done.stderr
    for secret in SECRETS:
        assert secret not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcd.efgh", "Authorization: Bearer ***"),
        (f"token {TOKEN} refused", "token *** refused"),
        ("postgresql://fyr:p@ss@db:5432/x", "postgresql://fyr:***@db:5432/x"),
        ("GET /fhir/Patient?name=Berg&_id=1", "GET /fhir/Patient?name=***&_id=***"),
        ("Patient/0101901234 and 010190-1234", "Patient/*** and ***"),
        ("http://127.0.0.1:8080/fhir", "http://127.0.0.1:8080/fhir"),
        ("at 1795701234567 ms", "at 1795701234567 ms"),
        ("01019012345678901234", "01019012345678901234"),
        ("2026-11-26T14:53:46.123456Z", "2026-11-26T14:53:46.123456Z"),
        ("trace 4bf92f3577b34da6a3ce929d0e0e4736", "trace 4bf92f3577b34da6a3ce929d0e0e4736"),
    ],
)  # fmt: skip
def test_what_has_the_form_of_a_secret_is_hidden(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_a_secret_of_the_settings_is_hidden_whatever_its_form() -> None:
    url = f"postgresql://fyr:{URL_PASSWORD}@db.example.org/fyr"
    settings = Settings(
        security={"admin_token": SecretStr(ADMIN)},  # type: ignore[arg-type]
        store={"url": url},  # type: ignore[arg-type]
    )

    remember_secrets(settings)

    told = masked(f"<{ADMIN}> wrong password: {URL_PASSWORD}")
    assert told == f"<{HIDDEN}> wrong password: {HIDDEN}"
