"""`fyr dev token`: a token from the command line."""

import json
import stat

import httpx
import pytest

from fyr.core.testing.process import fyr_output, fyr_process

from .words import EPISODE, ORGANIZATION, PATIENT, REALM, TEAM


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
