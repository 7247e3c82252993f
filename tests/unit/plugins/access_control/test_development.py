"""The development issuer: from the command line to a request, and other contexts."""

import json
import stat
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from fyr.config.load import ConfigError
from fyr.core.context import RequestContext
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.issuer import issuing
from fyr.core.testing.process import fyr_output, fyr_process
from fyr.core.testing.receiver import receiving

BASE = "http://localhost/fhir"
REALM = "/dev/realms/ehealth"
TEAM = "https://organization.example.org/fhir/CareTeam/1"
ORGANIZATION = "https://organization.example.org/fhir/Organization/1"
PATIENT = "https://patient.example.org/fhir/Patient/1"
EPISODE = "https://careplan.example.org/fhir/EpisodeOfCare/1"


@pytest.fixture
def fyr_options():
    return {
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["search", "access_control"]},
        "plugin": {"access_control": {"development": True}},
    }


@pytest.fixture
def fyr_clock():
    """As the command line knows no other time than the machine's."""
    return FakeClock(datetime.now(UTC))


@pytest.fixture
def principal(fyr_app):
    """Tell whose an access token is."""

    def of(token):
        context = RequestContext(next(iter(fyr_app.services)), "read")
        context.authorization = f"Bearer {token}"
        return fyr_app.hooks.authenticate(context=context)

    return of


@pytest.fixture
def switch(fyr_client):
    """Ask the token endpoint for another context."""

    def ask(tokens, realm=REALM, **form):
        told = {
            "client_id": "fyr-dev",
            "grant_type": "refresh_token",
            "refresh_token": tokens["refresh_token"],
            **form,
        }
        return fyr_client.post(
            f"{realm}/protocol/openid-connect/token",
            urlencode(told),
            Content_Type="application/x-www-form-urlencoded",
        )

    return ask


class TestTheCommand:
    def test_a_practitioner_can_begin_without_any_option(self, run, principal) -> None:
        told = principal(run("token").output.strip())

        assert (told.user_type, told.realm) == ("PRACTITIONER", "ehealth")
        assert {"Patient.read", "CarePlan.create"} <= told.privileges
        assert told.context == {}

    def test_everything_can_be_said(self, tokens, principal, tmp_path) -> None:
        file = tmp_path / "privileges"
        file.write_text("Patient.read\nPatient.search,$bulk-export\n")
        scope = "openid http://ehealth.sundhed.dk/cs/ehealth-system|xa"
        made = tokens(
            *("--as", "practitioner", "--user", "https://x.example/Practitioner/1"),
            *("--name", "Ada Lovelace", "--organization", ORGANIZATION),
            *("--care-team", TEAM, "--patient", PATIENT, "--episode-of-care", EPISODE),
            *("--privileges", f"@{file}", "--scope", scope, "--client", "app"),
        )
        told = principal(made["access_token"])

        assert told.context == {
            "organization": ORGANIZATION,
            "care_team": TEAM,
            "patient": PATIENT,
            "episode_of_care": EPISODE,
        }
        assert told.privileges == {"Patient.read", "Patient.search", "$bulk-export"}
        assert (told.name, told.client_id) == ("Ada Lovelace", "app")
        assert told.user_id == "https://x.example/Practitioner/1"
        assert told.tags == {"xa"}

    def test_a_citizen_is_their_own_patient(self, tokens, principal) -> None:
        told = principal(
            tokens("--as", "patient", "--patient", PATIENT)["access_token"]
        )

        assert (told.user_type, told.realm) == ("PATIENT", "nemlogin")
        assert (told.user_id, told.context) == (PATIENT, {"patient": PATIENT})

    def test_a_token_ends_when_it_was_said(self, run, fyr_client, fyr_clock) -> None:
        token = run("token", "--as", "system", "--expires", "45m").output.strip()
        signed = fyr_client.with_headers(Authorization=f"Bearer {token}")

        assert signed.get("Patient").status == 200
        fyr_clock.advance(minutes=46)
        assert signed.get("Patient").status == 401

    @pytest.mark.parametrize(
        "wrong",
        [
            ("--expires", "tomorrow"),
            ("--expires", "0h"),
            ("--patient", "Patient/1"),
            ("--as", "doctor"),
            ("--privileges", "@/no/such/file"),
        ],
    )
    def test_a_mistake_is_named(self, run, wrong) -> None:
        done = run("token", *wrong)

        assert done.exit_code
        assert done.output.strip()

    def test_the_key_is_for_its_owner_and_stays(self, tokens, fyr_settings) -> None:
        tokens()
        file = fyr_settings.data_dir / "development-issuer.json"
        before = file.read_bytes()
        tokens()

        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_bytes() == before
        assert [one.name for one in file.parent.glob("development*")] == [file.name]

    def test_the_key_is_in_no_answer(self, fyr_client, tokens, fyr_settings) -> None:
        tokens()
        key = json.loads(
            (fyr_settings.data_dir / "development-issuer.json").read_text()
        )
        published = fyr_client.get(f"{REALM}/protocol/openid-connect/certs")

        assert published.json["keys"][0]["n"] == key["n"]
        assert key["d"] not in published.body.decode()


class TestSwitchingContexts:
    def test_an_employee_chooses_a_care_team_and_an_episode(
        self, tokens, switch, principal
    ) -> None:
        answer = switch(tokens(), care_team_id=TEAM, episode_of_care_id=EPISODE)

        assert answer.status == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json["token_type"] == "Bearer"
        told = principal(answer.json["access_token"])
        assert told.context == {"care_team": TEAM, "episode_of_care": EPISODE}

    def test_a_choice_takes_the_place_of_the_one_before(
        self, tokens, switch, principal
    ) -> None:
        first = switch(tokens(), care_team_id=TEAM, patient_id=PATIENT).json
        second = switch(first, organization_id=ORGANIZATION).json
        third = switch(second).json

        for one in (second, third):
            told = principal(one["access_token"])
            assert told.context == {"organization": ORGANIZATION}

    def test_the_token_before_stays_good(self, tokens, switch, principal) -> None:
        before = tokens()
        switch(before, care_team_id=TEAM)

        assert principal(before["access_token"]).context == {}

    @pytest.mark.parametrize(
        "form",
        [
            {"patient_id": PATIENT},
            {"episode_of_care_id": EPISODE},
            {"patient_id": PATIENT, "organization_id": ORGANIZATION},
            {"care_team_id": "CareTeam/1"},
        ],
    )
    def test_an_employee_needs_a_care_team_for_a_patient(
        self, tokens, switch, form
    ) -> None:
        answer = switch(tokens(), **form)

        assert (answer.status, answer.json["error"]) == (400, "invalid_request")
        assert "access_token" not in answer.json

    def test_a_citizen_stays_the_citizen(self, tokens, switch, principal) -> None:
        own = tokens("--as", "patient", "--patient", PATIENT)
        realm = "/dev/realms/nemlogin"
        other = "https://patient.example.org/fhir/Patient/2"

        assert switch(own, realm, patient_id=other).status == 400
        assert switch(own, realm, care_team_id=TEAM).status == 400
        chosen = switch(own, realm, episode_of_care_id=EPISODE).json["access_token"]
        assert principal(chosen).context == {
            "patient": PATIENT,
            "episode_of_care": EPISODE,
        }

    def test_a_citizen_who_is_no_patient_yet_chooses_nothing(
        self, tokens, switch
    ) -> None:
        answer = switch(
            tokens("--as", "patient"), "/dev/realms/nemlogin", patient_id=PATIENT
        )

        assert answer.status == 400

    @pytest.mark.parametrize(
        ("form", "error"),
        [
            ({"grant_type": "password"}, "unsupported_grant_type"),
            ({"refresh_token": "x"}, "invalid_grant"),
            ({"refresh_token": ""}, "invalid_grant"),
            ({"client_id": "somebody-else"}, "invalid_grant"),
        ],
    )
    def test_what_does_not_hold_is_refused(self, tokens, switch, form, error) -> None:
        answer = switch(tokens(), **form)

        assert (answer.status, answer.json["error"]) == (400, error)

    def test_an_access_token_does_not_refresh(self, tokens, switch) -> None:
        made = tokens()

        assert switch(made, refresh_token=made["access_token"]).status == 400

    def test_a_refresh_token_opens_nothing(self, tokens, fyr_client) -> None:
        token = tokens("--as", "system")["refresh_token"]

        answer = fyr_client.get("Patient", Authorization=f"Bearer {token}")
        assert answer.status == 401

    def test_a_refresh_token_is_for_its_realm_and_its_time(
        self, tokens, switch, fyr_clock
    ) -> None:
        made = tokens()

        assert switch(made, "/dev/realms/ssl").status == 400
        assert switch(made).status == 200
        fyr_clock.advance(hours=11)
        assert switch(made).status == 400

    def test_a_parameter_is_sent_once_and_as_a_form(self, fyr_client, tokens) -> None:
        path = f"{REALM}/protocol/openid-connect/token"
        refresh = tokens()["refresh_token"]
        form = f"grant_type=refresh_token&client_id=fyr-dev&refresh_token={refresh}"
        kind = "application/x-www-form-urlencoded"

        assert fyr_client.post(path, form, Content_Type=kind).status == 200
        for body in (
            f"{form}&client_id=fyr-dev",
            "\xff=1",
            "a=b" * 30_000,
            "",
            "&" * 99,
        ):
            assert fyr_client.post(path, body, Content_Type=kind).status == 400
        assert (
            fyr_client.post(path, form, Content_Type="application/json").status == 400
        )


class TestWhatAChoiceImplies:
    """The organization of a care team and the patient of an episode, when stored here."""

    @pytest.fixture
    def stored(self, run, fyr_client):
        token = run("token", "--as", "system").output.strip()
        system = fyr_client.with_headers(Authorization=f"Bearer {token}")
        for resource in (
            {"resourceType": "Organization", "id": "o"},
            {
                "resourceType": "CareTeam",
                "id": "t",
                "managingOrganization": [{"reference": "Organization/o"}],
            },
            {"resourceType": "Patient", "id": "p"},
            {
                "resourceType": "EpisodeOfCare",
                "id": "e",
                "status": "active",
                "patient": {"reference": "Patient/p"},
            },
        ):
            assert system.update(resource).status == 201

    def test_it_is_in_the_new_token(self, stored, tokens, switch, principal) -> None:
        answer = switch(
            tokens(),
            care_team_id=f"{BASE}/CareTeam/t",
            episode_of_care_id=f"{BASE}/EpisodeOfCare/e",
        )

        assert principal(answer.json["access_token"]).context == {
            "care_team": f"{BASE}/CareTeam/t",
            "organization": f"{BASE}/Organization/o",
            "episode_of_care": f"{BASE}/EpisodeOfCare/e",
            "patient": f"{BASE}/Patient/p",
        }

    def test_another_one_is_refused(self, stored, tokens, switch) -> None:
        answer = switch(
            tokens(), care_team_id=f"{BASE}/CareTeam/t", organization_id=ORGANIZATION
        )

        assert answer.status == 400


class TestTheContextsToChooseFrom:
    path = f"{REALM}/resource/ehealth-connect/contexts"

    @pytest.fixture
    def stored(self, run, fyr_client):
        token = run("token", "--as", "system").output.strip()
        system = fyr_client.with_headers(Authorization=f"Bearer {token}")
        organization = {"resourceType": "Organization", "id": "o", "name": "Strandby"}
        team = {
            "resourceType": "CareTeam",
            "id": "t",
            "status": "active",
            "name": "KOL",
            "managingOrganization": [{"reference": "Organization/o"}],
            "participant": [
                {
                    "member": {"reference": "Practitioner/maja"},
                    "role": [{"coding": [{"code": "monitoring_assistor"}]}],
                }
            ],
        }
        for resource in (
            organization,
            {"resourceType": "Practitioner", "id": "maja"},
            {"resourceType": "Practitioner", "id": "ole"},
            team,
            {**team, "id": "gone", "status": "inactive"},
        ):
            assert system.update(resource).status == 201

    @pytest.fixture
    def contexts(self, tokens, fyr_client):
        def of(user):
            token = tokens("--user", user)["access_token"]
            return fyr_client.get(self.path, Authorization=f"Bearer {token}")

        return of

    def test_an_employee_chooses_among_their_care_teams(self, stored, contexts) -> None:
        told = contexts(f"{BASE}/Practitioner/maja").json

        affiliation = {"id": f"{BASE}/Organization/o", "name": "Strandby"}
        roles = ["monitoring_assistor"]
        team = {"id": f"{BASE}/CareTeam/t", "name": "KOL", "roles": roles}
        assert told == {
            "care_teams": [{**team, "affiliation": affiliation}],
            "organizations": [{**affiliation, "roles": roles}],
        }

    @pytest.mark.parametrize(
        "user", [f"{BASE}/Practitioner/ole", "https://x.example/Practitioner/maja", "u"]
    )
    def test_who_is_in_none_has_none(self, stored, contexts, user) -> None:
        assert contexts(user).json == {"care_teams": [], "organizations": []}

    def test_nobody_else_is_told(self, stored, fyr_client, tokens) -> None:
        citizen = tokens("--as", "patient")["access_token"]

        assert fyr_client.get(self.path).status == 401
        answer = fyr_client.get(self.path, Authorization=f"Bearer {citizen}")
        assert answer.status == 401


class TestWhatItTells:
    def test_it_describes_itself(self, fyr_client) -> None:
        told = fyr_client.get(f"{REALM}/.well-known/openid-configuration").json

        assert told["issuer"] == f"http://localhost{REALM}"
        assert fyr_client.get(told["jwks_uri"].removeprefix("http://localhost")).json

    def test_who_holds_a_token_may_ask_what_it_says(self, fyr_client, tokens) -> None:
        made = tokens("--name", "Ada Lovelace", "--care-team", TEAM)
        path = f"{REALM}/protocol/openid-connect/userinfo"
        bearer = f"Bearer {made['access_token']}"
        told = fyr_client.get(path, Authorization=bearer).json

        assert told["name"] == "Ada Lovelace"
        assert told["context"] == {"care_team_id": TEAM}
        assert "Patient.read" in told["roles"]
        assert fyr_client.get(path).status == 401
        elsewhere = path.replace("ehealth", "ssl")
        assert fyr_client.get(elsewhere, Authorization=bearer).status == 401

    def test_it_is_asked_by_a_name_of_this_machine(self, fyr_client) -> None:
        """A web page whose name leads to this machine all of a sudden learns nothing."""
        path = f"{REALM}/protocol/openid-connect/certs"

        assert fyr_client.get(path).status == 200
        assert fyr_client.get(path, Host="evil.example.org").status == 404

    def test_there_is_no_other_realm(self, fyr_client) -> None:
        path = "/dev/realms/master/.well-known/openid-configuration"

        assert fyr_client.get(path).status == 404


class TestSafety:
    def test_a_server_that_others_can_reach_does_not_start_with_it(
        self, fyr_options, tmp_path
    ) -> None:
        settings = settings_with(
            {**fyr_options, "server": {"host": "0.0.0.0"}}, tmp_path / "data"
        )

        with pytest.raises(ConfigError) as caught, application(settings, FakeClock()):
            pass
        assert "plugin.access_control.development" in str(caught.value)
        assert "server.host is 0.0.0.0" in str(caught.value)

    def test_without_it_nothing_of_it_is_there(
        self, fyr_options, fyr_settings, tokens, tmp_path
    ) -> None:
        from fyr.core.testing.applications import client_of

        token = tokens("--as", "system")["access_token"]
        options = {**fyr_options, "plugin": {"access_control": {}}}
        settings = settings_with(options, fyr_settings.data_dir)
        with application(settings, FakeClock(datetime.now(UTC))) as built:
            client = client_of(built)

            bearer = f"Bearer {token}"
            assert client.get("Patient", Authorization=bearer).status == 401
            path = f"{REALM}/protocol/openid-connect/certs"
            assert client.get(path).status == 404

    def test_the_command_says_when_it_would_be_in_vain(self, fyr_settings) -> None:
        from click.testing import CliRunner

        from fyr.plugins.access_control.development.command import dev

        settings = fyr_settings.model_copy(update={"plugin": {}})
        done = CliRunner().invoke(dev, ["token"], obj=settings)

        assert done.exit_code == 1
        assert "plugin.access_control.development" in done.output

    def test_a_realm_of_the_same_path_elsewhere_is_a_stranger(
        self, fyr_client, fyr_clock
    ) -> None:
        """Whoever listens on this machine does not become the development issuer."""
        with issuing("RS256", fyr_clock) as stranger:
            url = f"http://127.0.0.1:8080{REALM}"
            token = stranger.token(iss=url, user_type="SYSTEM")

            answer = fyr_client.get("Patient", Authorization=f"Bearer {token}")
            assert answer.status == 401


def test_a_newcomer_has_a_token_and_a_server_in_two_commands(tmp_path) -> None:
    settings = {
        "SECURITY__MODE": "closed",
        "PLUGINS__ENABLED": '["search", "access_control"]',
        "PLUGIN__ACCESS_CONTROL__DEVELOPMENT": "true",
    }
    token = fyr_output(
        tmp_path, "dev", "token", "--as", "system", settings=settings
    ).strip()
    with fyr_process(tmp_path, settings=settings) as fyr:
        bearer = {"Authorization": f"Bearer {token}"}

        assert httpx.get(f"{fyr.base}/Patient").status_code == 401
        assert httpx.get(f"{fyr.base}/Patient", headers=bearer).status_code == 200


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
