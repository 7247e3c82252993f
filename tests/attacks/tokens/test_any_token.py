"""Tokens that chance made, from nothing and from a good one: refused, and no failure."""

import string
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc import jwt

from fyr.core.security.bearer import InvalidToken
from fyr.core.security.keys import KeyRing
from fyr.core.security.publishing import published_keys
from fyr.core.security.settings import IssuerSettings, TokenSettings
from fyr.core.security.verifying import TokenVerifier, TrustedIssuer
from fyr.core.testing.issuer import TestIssuer

NOW = datetime.now(UTC)
ISSUER = TestIssuer("https://id.example.org/realms/a", "RS256", lambda: NOW)
GOOD = ISSUER.token()
LETTERS = string.ascii_letters + string.digits + "-_.=~"
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def verifier():
    keys = KeyRing(published_keys(orjson.loads(ISSUER.document("/certs"))))
    trusted = TrustedIssuer(IssuerSettings(**ISSUER.settings()), keys)
    return TokenVerifier([trusted], TokenSettings())


def test_the_good_one_is_good(verifier) -> None:
    assert verifier.verify(GOOD, NOW)


@given(
    token=st.text() | st.text(LETTERS) | st.binary().map(lambda b: b.decode("latin-1"))
)
def test_any_text_is_refused(verifier, token) -> None:
    with pytest.raises(InvalidToken):
        verifier.verify(token, NOW)


@given(at=st.integers(0, len(GOOD) - 1), letter=st.sampled_from(LETTERS))
@example(at=len(GOOD) - 1, letter="A")
@example(at=len(GOOD) - 1, letter="B")
@example(at=len(GOOD) - 1, letter="-")
def test_one_letter_makes_a_token_bad(verifier, at, letter) -> None:
    """In the last letter of a signature there are bits that mean nothing."""
    if GOOD[at] == letter:
        return
    for altered in (
        GOOD[:at] + letter + GOOD[at + 1 :],
        GOOD[:at] + letter + GOOD[at:],
        GOOD[:at] + GOOD[at + 1 :],
    ):
        with pytest.raises(InvalidToken):
            verifier.verify(altered, NOW)
    assert verifier.verify(GOOD, NOW)


NAMES = st.sampled_from(
    [*ISSUER.claims(), "nbf", "name", "context", "cnf", "client_id", "jti"]
)


@given(claims=st.dictionaries(NAMES, values, max_size=3))
def test_any_claims_are_a_principal_or_refused(verifier, claims) -> None:
    key = ISSUER.keys[-1]
    told = {**ISSUER.claims(), **claims}
    token = jwt.encode({"alg": "RS256", "kid": key.kid}, told, key)
    try:
        principal = verifier.verify(token, NOW)
    except InvalidToken:
        return
    assert principal.user_id
    assert principal.user_type in ("SYSTEM", "PRACTITIONER", "PATIENT", "SSL")
    assert all(url.startswith("http") for url in principal.context.values())


def test_time_goes_on_for_a_token_that_is_known(verifier) -> None:
    assert verifier.verify(GOOD, NOW)
    with pytest.raises(InvalidToken, match="expired"):
        verifier.verify(GOOD, NOW + timedelta(days=1))
