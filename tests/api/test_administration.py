"""Health, metrics, plugins: for those who run the server."""

from typing import Any

import falcon
import pytest

from fyr.core import Principal, RequestContext, Route, Unauthenticated, hookimpl
from fyr.core.app import Application
from fyr.core.errors.plugins import PluginError
from fyr.core.hooks.plugin import Plugin
from fyr.core.rest.app import create_wsgi
from fyr.core.testing.client import Client


def test_a_process_that_answers_is_alive(client: Client) -> None:
    assert client.get("/health/live").json["status"] == "ok"


def test_readiness_tells_the_state_of_each_port(
    client: Client, shared_app: Application
) -> None:
    answer = client.get("/health/ready")

    assert answer.status == 200
    kind = shared_app.database.dialect
    assert answer.json["ports"]["store"] == {"status": "ok", "kind": kind}
    assert answer.json["ports"]["search"] == {"status": "ok"}


def test_a_server_without_its_store_is_not_ready(
    fyr_app: Application, fyr_client: Client
) -> None:
    fyr_app.database.close()

    answer = fyr_client.get("/health/ready")

    assert answer.status == 503
    assert answer.json["ports"]["store"]["status"] == "down"


def test_metrics_count_requests_by_what_they_asked_for(fyr_client: Client) -> None:
    fyr_client.get("Patient/none")
    fyr_client.get("Nonsense/1")
    fyr_client.get("/nowhere")

    answer = fyr_client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    counted = [
        line
        for line in answer.body.decode().splitlines()
        if line.startswith("fyr_http_request_duration_seconds_count")
    ]
    read = 'interaction="read",service="fhir",status="404"'
    assert any(f'{read},type="Patient"}} 1.0' in line for line in counted)
    assert any(f'{read},type=""}} 1.0' in line for line in counted)
    assert not any("Nonsense" in line for line in counted)


def test_plugins_are_told_to_the_machine_itself(client: Client) -> None:
    told = client.get("/admin/plugins").json

    assert "search" in {one["name"] for one in told["plugins"]}


@pytest.mark.parametrize("path", ["/metrics", "/admin/plugins"])
def test_administration_is_not_for_other_machines(client: Client, path: str) -> None:
    answer = client.get(path, Host="fhir.example.org")

    assert answer.status == 403
    assert answer.json["resourceType"] == "OperationOutcome"


def test_administration_is_not_for_those_behind_a_proxy(client: Client) -> None:
    assert client.get("/metrics", X_Forwarded_For="198.51.100.7").status == 403


class TestToken:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {"security": {"admin_token": "s3cret"}}

    def test_the_token_opens_and_nothing_else_does(self, fyr_client: Client) -> None:
        told = [
            fyr_client.get("/metrics", Authorization=sent).status
            for sent in ("Bearer s3cret", "Bearer other", "Basic s3cret", "Bearer é")
        ]

        assert told == [200, 401, 401, 401]
        assert fyr_client.get("/metrics").status == 401


class Away(Plugin):
    """Cannot do what it is for."""

    def problem(self) -> str:
        return "the ferry is away"


class TestReadinessOfPlugins:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {"security": {"admin_token": "s3cret"}}

    @pytest.fixture
    def fyr_plugins(self) -> dict[str, type[Plugin]]:
        return {"away": Away}

    def test_administrators_are_told_which_plugin_is_impaired_and_why(
        self, fyr_client: Client
    ) -> None:
        answer = fyr_client.get("/health/ready", Authorization="Bearer s3cret")

        assert (answer.status, answer.json["status"]) == (200, "degraded")
        plugins = answer.json["ports"]["plugins"]
        assert plugins["problems"] == {"away": "the ferry is away"}

    def test_others_are_told_that_something_is(self, fyr_client: Client) -> None:
        told = fyr_client.get("/health/ready").json["ports"]["plugins"]

        assert told == {"status": "degraded", "quarantined": 0, "impaired": 1}

    def test_administrators_are_told_what_is_wrong_with_the_store(
        self, fyr_app: Application, fyr_client: Client
    ) -> None:
        fyr_app.database.close()

        answer = fyr_client.get("/health/ready", Authorization="Bearer s3cret")

        assert answer.json["ports"]["store"]["problem"]
        assert "problem" not in fyr_client.get("/health/ready").json["ports"]["store"]


class Hello:
    """Greets, and says for whom."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        caller = req.context.caller
        resp.media = {"user": caller.principal.user_id if caller else None}

    def on_delete(self, req: falcon.Request, resp: falcon.Response) -> None:
        raise falcon.HTTPTooManyRequests()


class Greeting(Plugin):
    """Routes for everybody and for the known, and a door."""

    @hookimpl
    def authenticate(self, context: RequestContext) -> Principal | None:
        if context.authorization == "Bearer ada":
            return Principal("PRACTITIONER", "ada")
        raise Unauthenticated("who are you?")

    @hookimpl
    def register_routes(self) -> list[Route]:
        return [
            Route("/hello/all", Hello(), "Greets everybody.", public=True),
            Route("/hello/known", Hello(), "Greets the known."),
        ]


class Intruder(Plugin):
    """Wants a path of the server's own."""

    @hookimpl
    def register_routes(self) -> list[Route]:
        return [
            Route("/fhir/hello", Hello(), "In the way."),
            Route("/{anything}", Hello(), "In the way of all."),
        ]


class TestRoutes:
    @pytest.fixture
    def fyr_plugins(self) -> dict[str, type[Plugin]]:
        return {"greeting": Greeting}

    def test_a_public_route_answers_everybody(self, fyr_client: Client) -> None:
        assert fyr_client.get("/hello/all").json == {"user": None}

    def test_any_other_route_is_behind_the_door(self, fyr_client: Client) -> None:
        known = fyr_client.get("/hello/known", Authorization="Bearer ada")
        unknown = fyr_client.get("/hello/known")

        assert known.json == {"user": "ada"}
        assert unknown.status == 401
        assert unknown.json["resourceType"] == "OperationOutcome"

    def test_errors_of_routes_are_outcomes_too(self, fyr_client: Client) -> None:
        answer = fyr_client.delete("/hello/all")

        assert answer.status == 429
        assert answer.json["issue"][0]["code"] == "throttled"


class TestIntruder:
    @pytest.fixture
    def fyr_plugins(self) -> dict[str, type[Plugin]]:
        return {"intruder": Intruder}

    def test_a_route_in_the_way_of_the_server_stops_it(
        self, fyr_app: Application
    ) -> None:
        with pytest.raises(PluginError) as raised:
            create_wsgi(fyr_app)

        assert len(raised.value.problems) == 2
