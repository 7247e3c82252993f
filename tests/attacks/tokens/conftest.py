"""A closed server that trusts two realms of one provider, and what it says of tokens.

Each attack is tried beside the same request with a good token, which must pass: a test
of a server that lets nobody in would prove nothing.
"""

import pytest

from fyr.core.testing.issuer import PATIENT, providing


@pytest.fixture
def provider(fyr_clock):
    with providing(fyr_clock) as running:
        yield running


@pytest.fixture
def issuer(provider):
    """The realm of employees, whose signatures are RSA as Keycloak's are."""
    return provider.realm("ehealth", "RS256")


@pytest.fixture
def other_issuer(provider):
    """The realm of citizens."""
    return provider.realm("nemlogin", "RS256")


@pytest.fixture
def token_settings():
    """What differs in ``[plugin.access_control.tokens]``; override it."""
    return {}


@pytest.fixture
def fyr_options(issuer, other_issuer, token_settings):
    return {
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["search", "access_control"]},
        "plugin": {
            "access_control": {
                "issuers": [issuer.settings(), other_issuer.settings()],
                "tokens": PATIENT | token_settings,
            }
        },
    }


@pytest.fixture
def claims():
    """What a system says that may read patients, whatever else is decided."""
    return {
        "user_type": "SYSTEM",
        "user_id": "4f5f6cf6-0000-4000-8000-000000000002",
        "realm_access": {"roles": ["Patient.read", "Patient.search"]},
    }


@pytest.fixture
def good(issuer, claims):
    """Make a token that is good, with claims or headers over it."""

    def make(**more):
        return issuer.token(**{**claims, **more})

    return make


@pytest.fixture
def ask(fyr_client):
    """Send the request that a token is tried with."""

    def send(token):
        return fyr_client.get("Patient", Authorization=f"Bearer {token}")

    return send


@pytest.fixture
def is_refused(ask):
    """Whether a token is refused as RFC 6750 has it, without anything of it told."""

    def tried(token):
        answer = ask(token)
        if answer.status != 401:
            return False
        challenge = answer.headers["www-authenticate"]
        assert challenge.startswith('Bearer realm="fyr", error="invalid_token", ')
        assert answer.json["resourceType"] == "OperationOutcome"
        assert token[-20:].encode() not in answer.body
        return True

    return tried
