"""Tokens of a real Keycloak, whose realms give what the infrastructure's give.

``keycloak/*.json`` are the realms. What a realm cannot be set up to do is told in
``docs/security.md``: it takes no context as a parameter of its token endpoint.
"""

import json
from pathlib import Path

import pytest

from fyr.core.clock import utc_now
from fyr.core.context import RequestContext
from fyr.core.security.bearer import InvalidToken
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.issuer import PATIENT as PATIENCE
from fyr.core.testing.keycloak import available, running_keycloak
from fyr.core.testing.servers import absent

REALMS = Path(__file__).parent / "keycloak"
ORGANIZATION = "https://organization.example.org/fhir/Organization/1"
TEAM = "https://organization.example.org/fhir/CareTeam"
PATIENT = "https://patient.example.org/fhir/Patient/1"
TAG = "http://ehealth.sundhed.dk/cs/ehealth-system|xa"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
CLINIC = {"client_id": "clinic"}
NANCY = {**CLINIC, "grant_type": "password", "username": "nancy", "password": "nancy"}
CARL = {
    "client_id": "citizen",
    "grant_type": "password",
    "username": "carl",
    "password": "carl",
}
ROBOT = {"client_id": "robot", "client_secret": "robot-secret"}


@pytest.fixture(scope="module")
def keycloak():
    why = available()
    if why:
        absent("keycloak", why)
    realms = [json.loads(file.read_text()) for file in sorted(REALMS.glob("*.json"))]
    with running_keycloak(realms) as server:
        yield server


@pytest.fixture
def built(keycloak, tmp_path):
    """A closed server that trusts both realms; it asks for unknown keys at once."""
    issuers = [
        {"issuer": keycloak.issuer(realm), "audiences": ["EHealth"]}
        for realm in ("ehealth", "nemlogin")
    ]
    options = {
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["search", "access_control"]},
        "plugin": {
            "access_control": {
                "issuers": issuers,
                "tokens": {"unknown_key_seconds": 0, **PATIENCE},
            }
        },
    }
    with application(settings_with(options, tmp_path / "data"), utc_now) as running:
        yield running


@pytest.fixture
def principal(built):
    """Tell whose a token is."""

    def of(token):
        context = RequestContext(built.services.default, "read")
        context.authorization = f"Bearer {token}"
        return built.hooks.authenticate(context=context)

    return of


@pytest.fixture
def login(keycloak):
    """Log in, and give the tokens."""

    def by(form, realm="ehealth", **more):
        return keycloak.tokens(realm, **form, **more)

    return by


def test_an_employee_logs_in(login, principal) -> None:
    told = principal(login(NANCY, scope=f"openid care-team-1 {TAG}")["access_token"])

    assert (told.user_type, told.realm) == ("PRACTITIONER", "ehealth")
    assert told.user_id == "https://organization.example.org/fhir/Practitioner/1"
    assert told.context == {"organization": ORGANIZATION, "care_team": f"{TEAM}/1"}
    assert told.team_on_episode is False
    assert "Patient.read" in told.privileges
    assert told.tags == {"xa"}
    assert (told.name, told.client_id) == ("Nancy Ann Berggren", "clinic")


def test_a_citizen_logs_in_at_another_realm(login, principal) -> None:
    told = principal(login(CARL, "nemlogin")["access_token"])

    assert (told.user_type, told.realm) == ("PATIENT", "nemlogin")
    assert (told.user_id, told.context) == (PATIENT, {"patient": PATIENT})


def test_a_system_logs_in_and_searches(login, principal, built) -> None:
    token = login(ROBOT, grant_type="client_credentials")["access_token"]
    client = client_of(built).with_headers(Authorization=f"Bearer {token}")

    assert principal(token).user_type == "SYSTEM"
    assert client.get("Patient").status == 200
    assert client_of(built).get("Patient").status == 401


def test_another_context_comes_with_a_refresh(login, principal) -> None:
    """A realm of our own does by scopes what the infrastructure does by parameters."""
    first = login(NANCY, scope="openid care-team-1 care-team-2")
    chosen = {}
    for team in ("care-team-1", "care-team-2"):
        refresh = {"grant_type": "refresh_token", "scope": f"openid {team}"}
        again = login(CLINIC, refresh_token=first["refresh_token"], **refresh)
        chosen[team] = principal(again["access_token"]).context["care_team"]

    assert chosen == {"care-team-1": f"{TEAM}/1", "care-team-2": f"{TEAM}/2"}


def test_a_program_acts_for_an_employee_by_token_exchange(login, principal) -> None:
    employee = login(NANCY)["access_token"]
    exchanged = login(
        ROBOT,
        grant_type=EXCHANGE,
        subject_token=employee,
        subject_token_type=ACCESS_TOKEN,
    )
    told = principal(exchanged["access_token"])

    assert (told.client_id, told.name) == ("robot", "Nancy Ann Berggren")
    assert told.user_type == "PRACTITIONER"


@pytest.mark.parametrize("kind", ["id_token", "refresh_token"])
def test_its_other_tokens_are_refused(login, principal, kind) -> None:
    tokens = login(NANCY, scope="openid")

    assert principal(tokens["access_token"])
    with pytest.raises(InvalidToken):
        principal(tokens[kind])


def test_a_token_for_another_server_is_refused(keycloak, principal) -> None:
    """The administrator's own token is of a realm that nobody trusts here."""
    form = {"grant_type": "password", "client_id": "admin-cli"}
    own = keycloak.tokens("master", username="fyr", password=keycloak.password, **form)

    with pytest.raises(InvalidToken, match="issuer is not trusted"):
        principal(own["access_token"])


def test_keys_are_rotated_and_withdrawn_while_it_runs(
    keycloak, login, principal
) -> None:
    before = login(NANCY)["access_token"]
    assert principal(before)

    realm = keycloak.administer("GET", "/ehealth")["id"]
    components = "/ehealth/components"
    kind = "org.keycloak.keys.KeyProvider"
    old = [
        one["id"]
        for one in keycloak.administer("GET", f"{components}?type={kind}")
        if one["providerId"] == "rsa-generated"
    ]
    made = {
        "name": "newer",
        "providerId": "rsa-generated",
        "providerType": kind,
        "parentId": realm,
        "config": {"priority": ["500"], "algorithm": ["RS256"]},
    }
    keycloak.administer("POST", components, made)

    assert principal(login(NANCY)["access_token"])
    assert principal(before)

    for one in old:
        keycloak.administer("DELETE", f"{components}/{one}")
    # An unknown key has the others looked at again.
    later = {**made["config"], "priority": ["600"]}
    keycloak.administer("POST", components, {**made, "name": "last", "config": later})
    assert principal(login(NANCY)["access_token"])
    with pytest.raises(InvalidToken):
        principal(before)


def test_known_keys_stay_good_while_it_is_restarted(keycloak, login, principal) -> None:
    first, second = login(NANCY)["access_token"], login(NANCY)["access_token"]
    assert principal(first)
    keycloak.stop()
    try:
        assert principal(first)
        assert principal(second)
    finally:
        keycloak.start()

    assert principal(login(NANCY)["access_token"])
