"""Plugins and HTTP: bugs, refusals, and what they are told of a request."""

from collections.abc import Iterator
from typing import Any

import pytest

from fyr.core import Forbidden, Principal, RequestContext, hookimpl
from fyr.core.hooks.plugin import Plugin, PluginSettings
from fyr.core.testing.client import Client

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Witness(Plugin):
    """Notes what it is told, and fails or refuses when asked to."""

    def __init__(self, settings: PluginSettings) -> None:
        super().__init__(settings)
        self.seen: list[RequestContext] = []
        self.completed_with: list[tuple[str, int, float]] = []

    @hookimpl
    def authorize(self, context: RequestContext) -> None:
        self.seen.append(context)
        wanted = dict(context.params).get("_id")
        if wanted == "bug":
            raise ZeroDivisionError("secret")
        if wanted == "no":
            raise Forbidden("not you")

    @hookimpl
    def completed(self, context: RequestContext, status: int, seconds: float) -> None:
        self.completed_with.append((context.interaction, status, seconds))


@pytest.fixture
def fyr_plugins() -> dict[str, type[Plugin]]:
    return {"witness": Witness}


@pytest.fixture
def witness(fyr_app: Any) -> Iterator[Witness]:
    return next(one.target for one in fyr_app.plugins if one.name == "witness")


def test_plugins_are_told_who_asks_for_what(
    fyr_client: Client, witness: Witness
) -> None:
    fyr_client.get(
        "Patient?name=%C3%85se&name=B",
        Authorization="Bearer x",
        Prefer="handling=lenient",
        Traceparent=f"00-{TRACE}-00f067aa0ba902b7-01",
    )

    told = witness.seen[0]
    assert (told.interaction, told.resource_type) == ("search-type", "Patient")
    assert told.params == (("name", "Åse"), ("name", "B"))
    assert told.authorization == "Bearer x"
    assert told.handling == "lenient"
    assert told.trace_id == TRACE
    assert told.base_url.endswith("/fhir")
    assert told.now is not None


def test_a_bug_in_a_plugin_is_answered_without_its_inside(
    fyr_client: Client, witness: Witness
) -> None:
    answer = fyr_client.get("Patient?_id=bug", X_Request_Id="look-here")

    assert answer.status == 500
    assert "look-here" in answer.issues[0]
    assert b"secret" not in answer.body
    assert witness.completed_with[-1][:2] == ("search-type", 500)


def test_completed_is_told_of_refused_requests_too(
    fyr_client: Client, witness: Witness
) -> None:
    fyr_client.get("Patient?_id=no")
    fyr_client.get("Patient/none")
    fyr_client.get("metadata")

    told = [(interaction, status) for interaction, status, _ in witness.completed_with]
    assert told == [("search-type", 403), ("read", 404), ("capabilities", 200)]
    assert all(seconds > 0 for _, _, seconds in witness.completed_with)


def test_a_trace_id_reaches_what_is_kept(fyr_client: Client, fyr_events: Any) -> None:
    fyr_client.create({"resourceType": "Patient"}, X_Request_Id="kept-too")

    assert [change.trace_id for change in fyr_events.all()] == ["kept-too"]


class TestClosed:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {"security": {"mode": "closed"}}

    def test_nobody_comes_in_and_everybody_may_ask_what_is_here(
        self, fyr_client: Client
    ) -> None:
        refused = fyr_client.get("Patient/1")

        assert refused.status == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert fyr_client.get("metadata").status == 200

    def test_a_stranger_s_body_is_not_even_read(self, fyr_client: Client) -> None:
        answer = fyr_client.post("Patient", b"{", Content_Type="text/odd")

        assert answer.status == 401

    def test_a_principal_comes_in(self, fyr_client: Client) -> None:
        known = fyr_client.acting_as(Principal("PRACTITIONER", "ada"))

        assert known.get("Patient/none").status == 404


def test_a_plugins_bug_is_seen_in_the_metrics(
    fyr_client: Client, witness: Witness, fyr_app: Any
) -> None:
    fyr_client.get("Patient?_id=bug")

    line = 'fyr_plugin_failures_total{hook="authorize",plugin="witness"} 1.0'
    assert line in fyr_app.metrics.page().decode()


class Meddler(Plugin):
    """Makes another resource of what is stored, or leaves like a command."""

    @hookimpl
    def before_store(self, new: dict[str, Any] | None) -> None:
        if new and new.get("gender") == "other":
            new["id"] = "hijacked"
        if new and new.get("gender") == "unknown":
            raise SystemExit(3)


class TestWithAMeddler:
    @pytest.fixture
    def fyr_plugins(self) -> dict[str, type[Plugin]]:
        return {"meddler": Meddler}

    @pytest.mark.parametrize("gender", ["other", "unknown"])
    def test_nothing_is_stored_and_the_client_is_told(
        self, fyr_client: Client, gender: str
    ) -> None:
        patient = {"resourceType": "Patient", "id": "1", "gender": gender}

        answer = fyr_client.update(patient)

        assert answer.status == 500
        assert b'"OperationOutcome"' in answer.body
        assert fyr_client.get("Patient/1").status == 404
        assert fyr_client.get("Patient/hijacked").status == 404
