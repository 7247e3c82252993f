"""What a token says of its user, as a principal."""

import pytest

from fyr.core.security.bearer import InvalidToken, bearer_token
from fyr.core.security.claims import principal_of
from fyr.core.security.settings import ClaimNames, IssuerSettings

ISSUER = "https://saml.example.org/auth/realms/ehealth"
TEAM = "https://organization.example.org/fhir/CareTeam/2"
TAGS = "http://ehealth.sundhed.dk/cs/ehealth-system"
CLAIMS = {
    "user_type": "PRACTITIONER",
    "user_id": "https://organization.example.org/fhir/Practitioner/7",
    "realm_access": {"roles": ["Patient.read", "$bulk-export"]},
    "context": {"care_team_id": TEAM, "patient_id": "", "team_on_eoc": False},
    "name": "Nancy Ann Berggren",
    "azp": "oio_mock",
    "scope": f"openid profile {TAGS}|xa {TAGS}|xb",
}


def principal(claims=CLAIMS, **names):
    issuer = IssuerSettings(
        issuer=ISSUER, audiences=["EHealth"], claims=ClaimNames(**names)
    )
    return principal_of(claims, issuer)


def test_a_token_of_the_infrastructure_is_understood() -> None:
    told = principal()

    assert (told.user_type, told.user_id) == ("PRACTITIONER", CLAIMS["user_id"])
    assert told.privileges == {"Patient.read", "$bulk-export"}
    assert told.context == {"care_team": TEAM}
    assert told.team_on_episode is False
    assert told.tags == {"xa", "xb"}
    assert "profile" in told.scopes
    assert (told.name, told.client_id) == ("Nancy Ann Berggren", "oio_mock")
    assert (told.issuer, told.realm) == (ISSUER, "ehealth")


def test_a_token_may_say_little() -> None:
    told = principal({"user_type": "SYSTEM", "sub": "a-client"})

    assert (told.user_id, told.privileges, told.context) == (
        "a-client",
        frozenset(),
        {},
    )
    assert told.team_on_episode is None


def test_the_names_of_claims_are_the_deployers() -> None:
    told = principal(
        {
            "kind": "doctor",
            "https://example.org/roles": "Patient.read Patient.search",
            "chosen": {"team": TEAM},
            "sub": "7",
        },
        user_type="kind",
        user_types={"doctor": "PRACTITIONER"},
        privileges="https://example.org/roles",
        context="chosen",
        care_team="team",
    )

    assert told.user_type == "PRACTITIONER"
    assert told.privileges == {"Patient.read", "Patient.search"}
    assert told.context == {"care_team": TEAM}


def test_who_has_no_kind_is_what_the_deployer_says() -> None:
    assert principal({"sub": "7"}, missing_user_type="SYSTEM").user_type == "SYSTEM"
    with pytest.raises(InvalidToken, match="user_type is missing"):
        principal({"sub": "7"})


def test_an_unknown_kind_is_refused_though_a_missing_one_is_not() -> None:
    with pytest.raises(InvalidToken, match="user_type is not one of"):
        principal({"sub": "7", "user_type": "ROBOT"}, missing_user_type="SYSTEM")


@pytest.mark.parametrize("header", ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c "])
def test_the_scheme_has_no_case(header) -> None:
    assert bearer_token(header) == "a.b.c"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic YTpi", "a.b.c"])
def test_another_scheme_brings_no_token(header) -> None:
    assert bearer_token(header) is None
