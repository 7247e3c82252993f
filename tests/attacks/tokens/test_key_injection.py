"""Tokens that bring the key, or tell where it is to be fetched.

https://www.rfc-editor.org/rfc/rfc8725#section-3.10
"""

import json

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey

from fyr.core.testing.issuer import providing


@pytest.fixture
def attacker(fyr_clock):
    with providing(fyr_clock) as running:
        yield running.realm("attacker", "RS256")


@pytest.fixture(autouse=True)
def _a_good_token_passes(ask, good):
    assert ask(good()).status == 200


def signed(issuer, claims, key, **header) -> str:
    registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    registry.max_header_length = 8_000
    registry.check_header = lambda header: None
    return jws.serialize_compact(
        {"alg": "RS256", **header},
        json.dumps(issuer.claims(**claims)),
        key,
        registry=registry,
    )


def test_a_key_in_the_header_is_refused(is_refused, issuer, claims) -> None:
    own = RSAKey.generate_key(2048, {"kid": "own"})

    assert is_refused(
        signed(issuer, claims, own, jwk=own.as_dict(private=False), kid="own")
    )


def test_a_key_in_the_header_is_refused_even_when_the_issuers_key_signed(
    is_refused, issuer, claims
) -> None:
    key = issuer.keys[-1]

    assert is_refused(
        signed(issuer, claims, key, jwk=key.as_dict(private=False), kid=key.kid)
    )


@pytest.mark.parametrize("name", ["jku", "x5u"])
def test_an_address_of_keys_is_refused_and_not_asked(
    is_refused, issuer, attacker, claims, name
) -> None:
    key = attacker.keys[-1]
    header = {name: f"{attacker.url}/certs", "kid": key.kid}

    assert is_refused(signed(issuer, claims, key, **header))
    assert attacker.fetched.total() == 0


def test_a_certificate_in_the_header_is_refused(is_refused, issuer, claims) -> None:
    own = RSAKey.generate_key(2048)

    assert is_refused(signed(issuer, claims, own, x5c=["MIIB"], kid="own"))


@pytest.mark.parametrize("extension", [["exp"], ["b64"], ["unknown"], []])
def test_a_critical_extension_is_refused(is_refused, issuer, claims, extension) -> None:
    """https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11"""
    key = issuer.keys[-1]
    header = {"kid": key.kid, "crit": extension, "exp": 1, "unknown": 1}

    assert is_refused(signed(issuer, claims, key, **header))


def test_a_name_of_a_key_is_only_a_name(is_refused, issuer, claims) -> None:
    own = RSAKey.generate_key(2048)
    kids = [
        "",
        "../../../../dev/null",
        "' UNION SELECT 'secret",
        "http://127.0.0.1/key",
        "x" * 3_000,
        7,
        ["a"],
        {"kid": "a"},
    ]

    assert all(is_refused(signed(issuer, claims, own, kid=kid)) for kid in kids)


def test_a_token_without_a_name_of_a_key_needs_the_only_key(
    ask, is_refused, issuer, claims
) -> None:
    assert ask(signed(issuer, claims, issuer.keys[-1])).status == 200
    assert is_refused(signed(issuer, claims, RSAKey.generate_key(2048)))
