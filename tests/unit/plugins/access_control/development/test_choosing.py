"""Which contexts there are to choose from, and what the issuer tells of itself."""

import pytest

from .words import BASE, REALM, TEAM


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
