"""Tokens beside subscriptions, services of their own, and bulk data."""

import json
from urllib.parse import urlsplit

import pytest

from fyr.core.testing.receiver import receiving

from .words import TEAM


class TestBesideSubscriptions:
    """In closed mode a developer tries subscriptions with the usual token of a system."""

    @pytest.fixture
    def fyr_options(self, fyr_options):
        enabled = ["search", "access_control", "subscriptions"]
        return {
            **fyr_options,
            "plugins": {"enabled": enabled},
            "outgoing": {"allow": ["loopback"]},
            "streams": {"port": 8081},
        }

    def test_a_developer_subscribes_is_told_and_asks_again(
        self, run, fyr_client, fyr_app
    ) -> None:
        token = run("token", "--as", "system").output.strip()
        system = fyr_client.with_headers(Authorization=f"Bearer {token}")
        work = fyr_app.worker().drain
        with receiving() as receiver:
            endpoint = {"type": "rest-hook", "endpoint": receiver.url}
            body = {
                "resourceType": "Subscription",
                "id": "s",
                "status": "requested",
                "reason": "to try",
                "criteria": "Patient",
                "channel": endpoint,
            }
            assert system.update(body).status == 201
            work()
            patient = {"resourceType": "Patient", "active": True}
            assert system.post("Patient", patient).status == 201
            work()
            told = len(receiver.received)
        asked = {
            name: system.get(f"Subscription/s/${name}").status
            for name in ("status", "events")
        }
        parameters = {"resourceType": "Parameters"}
        again = system.post("Subscription/s/$resend", parameters)
        channel = {**body, "id": "w", "channel": {"type": "websocket"}}
        system.update(channel)
        work()
        bound = system.post("Subscription/w/$get-ws-binding-token", parameters)
        ended = system.delete("Subscription/s")

        assert told == 1
        assert asked == {"status": 200, "events": 200}
        assert (again.status, bound.status) == (200, 200)
        assert ended.status in (200, 204)

    def test_a_developer_keeps_topics(self, run, fyr_client) -> None:
        token = run("token", "--as", "system").output.strip()
        system = fyr_client.with_headers(Authorization=f"Bearer {token}")
        r5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic"
        topic = {
            "resourceType": "Basic",
            "id": "t",
            "code": {"coding": [{"code": "SubscriptionTopic"}]},
            "extension": [
                {"url": f"{r5}.url", "valueUri": "http://example.org/topics/all"},
                {"url": f"{r5}.status", "valueCode": "active"},
                {
                    "url": f"{r5}.resourceTrigger",
                    "extension": [{"url": "resource", "valueUri": "Patient"}],
                },
            ],
        }
        kept = system.update(topic)

        assert kept.status == 201, kept.json
        assert system.get("Basic?code=SubscriptionTopic").json["total"] == 1


class TestServicesOfTheirOwnBesideTheOneThatHasEverything:
    @pytest.fixture
    def fyr_options(self, fyr_options):
        enabled = ["search", "administrative", "clinical", "access_control"]
        return {**fyr_options, "plugins": {"enabled": enabled}}

    @pytest.fixture
    def stored(self, run, fyr_client) -> None:
        token = run("token", "--as", "system").output.strip()
        system = fyr_client.with_headers(Authorization=f"Bearer {token}")
        episode = {
            "resourceType": "EpisodeOfCare",
            "id": "e",
            "status": "active",
            "patient": {"reference": "Patient/p"},
        }
        for one in ({"resourceType": "Patient", "id": "p"}, episode):
            assert system.update(one).status == 201

    def test_a_citizen_chooses_an_episode_of_their_own(
        self, stored, tokens, switch, principal
    ) -> None:
        patient = "http://localhost/patient/fhir/Patient/p"
        episode = "http://localhost/careplan/fhir/EpisodeOfCare/e"

        answer = switch(
            tokens("--as", "patient", "--patient", patient),
            "/dev/realms/nemlogin",
            episode_of_care_id=episode,
        )

        assert answer.status == 200, answer.body
        assert principal(answer.json["access_token"]).context == {
            "episode_of_care": episode,
            "patient": patient,
        }

    def test_what_a_choice_implies_has_the_url_of_its_service(
        self, stored, tokens, switch, principal
    ) -> None:
        answer = switch(
            tokens(),
            care_team_id=TEAM,
            episode_of_care_id="http://localhost/careplan/fhir/EpisodeOfCare/e",
        )

        context = principal(answer.json["access_token"]).context
        assert context["patient"] == "http://localhost/patient/fhir/Patient/p"


class TestBesideBulkData:
    """In closed mode a developer tries bulk data with the usual token of a system."""

    @pytest.fixture
    def fyr_options(self, fyr_options):
        enabled = ["search", "access_control", "bulk_data"]
        return {**fyr_options, "plugins": {"enabled": enabled}}

    def test_a_developer_imports_and_exports(self, run, fyr_client, fyr_app) -> None:
        token = run("token", "--as", "system").output.strip()
        system = fyr_client.with_headers(
            Authorization=f"Bearer {token}", Prefer="respond-async"
        )
        line = json.dumps({"resourceType": "Patient", "id": "p"}).encode()
        kind = "application/fhir+ndjson"

        sent = system.post("/bulk-data/import?type=Patient", line, Content_Type=kind)
        fyr_app.worker().drain()
        asked = {
            path: system.get(path)
            for path in ("$export?_type=Patient", "Patient/$export")
        }
        fyr_app.worker().drain()

        assert sent.status == 202
        assert system.get("Patient/p").status == 200
        for path, answer in asked.items():
            assert answer.status == 202, path
            manifest = system.get(urlsplit(answer.headers["content-location"]).path)
            assert [one["count"] for one in manifest.json["output"]] == [1]
