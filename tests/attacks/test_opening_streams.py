"""Who opens a stream is told yes, no or that the server failed: never nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fyr.core import Plugin, Principal, Stream, StreamListener, hookimpl
from fyr.core.app import Application
from fyr.core.context import RequestContext
from fyr.core.testing import Client
from fyr.core.testing.principals import authorization
from fyr.core.testing.streams import Streaming, streaming

FAULTS = (StopIteration, KeyError, RuntimeError, RecursionError)


class Faulty(Plugin):
    """Streams of a plugin that fails while somebody is let in."""

    @hookimpl
    def register_streams(self) -> Iterator[Stream]:
        for fault in FAULTS:
            yield Stream(
                f"/{fault.__name__}", "Fails.", lambda changes: (), self._open(fault)
            )

    def _open(self, fault: type[Exception]) -> Any:
        def failing(context: RequestContext) -> StreamListener:
            raise fault("secret of the plugin")

        return failing


@pytest.fixture
def fyr_plugins() -> dict[str, Any]:
    return {"faulty": Faulty}


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    issuer = {"issuer": "https://login.example.org", "audiences": ["fyr"]}
    return {
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["search", "access_control", "event_messages"]},
        "streams": {"port": 0},
        "plugin": {
            "access_control": {
                "decide_by": "smart",
                "issuers": [issuer],
                "smart": {"token_endpoint": "https://login.example.org/token"},
            },
            "event_messages": {"privilege": ""},
        },
    }


@pytest.fixture
def streams(fyr_app: Application) -> Iterator[Streaming]:
    with streaming(fyr_app) as running:
        yield running


def by_scopes(scopes: str, user_type: str = "SYSTEM", patient: str = "") -> Principal:
    context = {"patient": patient} if patient else {}
    return Principal(
        user_type, "app", context=context, scopes=frozenset(scopes.split())
    )


ALL = by_scopes("system/*.cruds")
TOO_LITTLE = [
    by_scopes(""),
    by_scopes("system/Patient.rs"),
    by_scopes("patient/*.cruds", "PATIENT", "http://localhost/fhir/Patient/1"),
    by_scopes("user/*.cruds", "PRACTITIONER"),
]


def asked(streams: Streaming, path: str, who: Principal) -> tuple[int, bytes]:
    """Open a stream, and tell the status and, where it is refused, the outcome."""
    headers = {"Authorization": authorization(who)}
    with httpx.stream("GET", streams.url + path, headers=headers, timeout=60) as answer:
        body = b"" if answer.status_code == 200 else answer.read()
        return answer.status_code, body


def test_scopes_decide_who_is_told_events(
    fyr_client: Client, streams: Streaming
) -> None:
    assert fyr_client.acting_as(ALL).get("/events").status == 200
    assert asked(streams, "/events", ALL)[0] == 200
    for who in TOO_LITTLE:
        assert fyr_client.acting_as(who).get("/events").status == 403
        status, body = asked(streams, "/events", who)
        assert (status, b"OperationOutcome" in body) == (403, True)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_while_a_stream_is_opened_is_answered(
    streams: Streaming, fault: type[Exception]
) -> None:
    status, body = asked(streams, f"/{fault.__name__}", ALL)

    assert status == 500
    assert b"OperationOutcome" in body
    assert b"secret" not in body
