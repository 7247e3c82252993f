"""Contexts exchanged for one another, and what a choice implies."""

import pytest

from .words import BASE, EPISODE, ORGANIZATION, PATIENT, REALM, TEAM


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
