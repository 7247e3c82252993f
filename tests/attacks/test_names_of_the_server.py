"""A client that says by its ``Host`` whose URLs are the server's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core.app import Application
from fyr.core.context import Principal
from fyr.core.serving.prepare import refuse_unsafe
from fyr.core.testing import SYSTEM_USER, Client
from fyr.core.testing.principals import authorization
from fyr.core.testing.streams import Streaming, streaming

ELSEWHERE = "fhir.other.example.org"
PUBLIC = "careplan.example.org"


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    return {
        "security": {"mode": "closed"},
        "plugins": {
            "enabled": ["search", "access_control", "administrative", "event_messages"]
        },
        "plugin": {"event_messages": {"privilege": ""}},
        "streams": {"port": 0},
    }


def citizen(host: str) -> Principal:
    """Be the patient 2 of another environment, by its URLs."""
    url = f"http://{host}/patient/fhir/Patient/2"
    may = frozenset({"Patient.read"})
    return Principal("PATIENT", url, may, context={"patient": url})


@pytest.fixture
def patient(fyr_client: Client) -> Client:
    may = frozenset({"Patient.update", "Patient.create"})
    system = fyr_client.acting_as(Principal("SYSTEM", "s", may))
    body = {"resourceType": "Patient", "id": "2"}
    assert system.put("Patient/2", body).status == 201
    return fyr_client


@pytest.mark.parametrize(
    "host", [ELSEWHERE, f"{ELSEWHERE}:8080", "localhost.example.org", "192.0.2.1"]
)
def test_the_context_of_another_environment_is_not_ours_by_name(
    patient: Client, host: str
) -> None:
    path = "/patient/fhir/Patient/2"

    assert patient.acting_as(citizen("localhost")).get(path).status == 200
    assert patient.acting_as(citizen(host)).get(path).status == 403
    assert patient.acting_as(citizen(host)).get(path, Host=host).status == 403


def test_no_link_stands_on_a_name_that_the_client_chose(fyr_client: Client) -> None:
    for who in (SYSTEM_USER, citizen(ELSEWHERE)):
        for path in ("metadata", "Patient", "/events"):
            answer = fyr_client.acting_as(who).get(path, Host=ELSEWHERE)

            assert answer.status == 403
            assert ELSEWHERE not in answer.body.decode()


@pytest.fixture
def streams(fyr_app: Application) -> Iterator[Streaming]:
    with streaming(fyr_app) as running:
        yield running


def test_streams_answer_to_the_same_names(streams: Streaming) -> None:
    known = {"Authorization": authorization(SYSTEM_USER)}
    for headers, status in ((known, 200), ({**known, "Host": ELSEWHERE}, 403)):
        with httpx.stream("GET", f"{streams.url}/events", headers=headers) as answer:
            assert answer.status_code == status


class TestOneServiceHasAName:
    @pytest.fixture
    def fyr_options(self, fyr_options: dict[str, Any]) -> dict[str, Any]:
        one = {"public_url": f"https://{PUBLIC}/fhir"}
        return {**fyr_options, "services": {"patient": one}}

    def test_routes_are_asked_for_by_that_name_and_no_other(
        self, fyr_client: Client
    ) -> None:
        system = fyr_client.acting_as(SYSTEM_USER)

        assert system.get("/events", Host=PUBLIC.upper()).status == 200
        assert system.get("/events", Host=ELSEWHERE).status == 403


OUTSIDE: dict[str, Any] = {"host": "0.0.0.0"}


def test_a_server_without_a_name_does_not_start_where_others_reach_it() -> None:
    with pytest.raises(ConfigError, match="public_url"):
        refuse_unsafe(Settings(server=OUTSIDE))  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="public_url"):
        refuse_unsafe(Settings(streams={**OUTSIDE, "port": 0}))  # type: ignore[arg-type]


def test_a_server_with_a_name_or_on_loopback_starts() -> None:
    named = {"patient": {"public_url": f"https://{PUBLIC}/fhir"}}

    refuse_unsafe(Settings())
    refuse_unsafe(Settings(server={**OUTSIDE, "public_url": f"https://{PUBLIC}"}))  # type: ignore[arg-type]
    refuse_unsafe(Settings(server=OUTSIDE, services=named))  # type: ignore[arg-type]
