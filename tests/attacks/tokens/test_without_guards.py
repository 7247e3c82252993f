"""The attacks by tokens, each without the one check that holds it: the token is taken.

A check that is not needed for an attack to fail would be no guard against it.
"""

import base64
import hmac
import json

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import RSAKey, import_key

from fyr.core.security import verifying
from fyr.core.security.cache import TokenCache
from fyr.core.testing.issuer import providing

LONG_AGO, LATE = "2000-01-01T00:00:00+00:00", "2100-01-01T00:00:00+00:00"


def part(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def signed_by_hand(header, claims, sign) -> str:
    text = f"{part(header)}.{part(claims)}"
    made = base64.urlsafe_b64encode(sign(text.encode())).decode().rstrip("=")
    return f"{text}.{made}"


def lax() -> jws.JWSRegistry:
    """Give what asks nothing of headers."""
    registry = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = 8_000
    registry.check_header = lambda header: None
    return registry


def signed(claims, key, **header) -> str:
    head = {"alg": "RS256", **header}
    return jws.serialize_compact(head, json.dumps(claims), key, registry=lax())


def verified(token, key) -> None:
    """Check a signature by a key, whoever told of it."""
    jws.deserialize_compact(token.encode(), key, registry=lax())


@pytest.fixture
def without(monkeypatch):
    """Take away a check of tokens, or put a naive one in its place."""

    def taken(name, naive=lambda *_arguments: None):
        monkeypatch.setattr(verifying, name, naive)

    return taken


@pytest.fixture
def own():
    return RSAKey.generate_key(2048, {"kid": "own"})


@pytest.fixture
def attacker(fyr_clock):
    with providing(fyr_clock) as running:
        yield running.realm("attacker", "RS256")


class TestWithoutTheSignature:
    def test_a_changed_payload_is_taken(self, ask, good, without) -> None:
        header, payload, signature = good().split(".")
        told = json.loads(base64.urlsafe_b64decode(payload + "=="))
        changed = f"{header}.{part({**told, 'name': 'Mallory'})}.{signature}"
        assert ask(changed).status == 401

        without("_check_signature")

        assert ask(changed).status == 200

    def test_a_strangers_key_under_the_right_name_is_taken(
        self, ask, issuer, claims, own, without
    ) -> None:
        token = issuer.token(key=own, header={"kid": issuer.keys[-1].kid}, **claims)
        assert ask(token).status == 401

        without("_check_signature")

        assert ask(token).status == 200


class TestWithTheAlgorithmOfTheToken:
    """https://www.rfc-editor.org/rfc/rfc8725#section-2.1"""

    def test_none_is_one(self, ask, issuer, claims, without) -> None:
        token = f"{part({'alg': 'none'})}.{part(issuer.claims(**claims))}.AA"
        assert ask(token).status == 401

        def by_its_own(token, header, issuer):
            assert header["alg"] == "none"

        without("_check_signature", by_its_own)

        assert ask(token).status == 200

    def test_the_public_key_is_a_shared_secret(
        self, ask, issuer, claims, without
    ) -> None:
        key = issuer.keys[-1]
        public = key.as_pem(private=False)
        token = signed_by_hand(
            {"alg": "HS256", "kid": key.kid},
            issuer.claims(**claims),
            lambda text: hmac.new(public, text, "sha256").digest(),
        )
        assert ask(token).status == 401

        def by_its_own(token, header, issuer):
            text, _, signature = token.rpartition(".")
            assert header["alg"] == "HS256"
            made = hmac.new(public, text.encode(), "sha256").digest()
            assert base64.urlsafe_b64decode(signature + "=") == made

        without("_check_signature", by_its_own)

        assert ask(token).status == 200


class TestWithTheKeyOfTheToken:
    """https://www.rfc-editor.org/rfc/rfc8725#section-3.10"""

    def test_a_key_in_the_header_is_taken(
        self, ask, issuer, claims, own, without
    ) -> None:
        public = own.as_dict(private=False)
        token = signed(issuer.claims(**claims), own, jwk=public)
        assert ask(token).status == 401

        def by_its_own(token, header, issuer):
            verified(token, import_key(header["jwk"]))

        without("_check_signature", by_its_own)

        assert ask(token).status == 200

    def test_an_address_of_keys_is_asked(
        self, ask, issuer, claims, attacker, without
    ) -> None:
        key, url = attacker.keys[-1], f"{attacker.url}/certs"
        token = signed(issuer.claims(**claims), key, jku=url, kid=key.kid)
        assert ask(token).status == 401
        assert attacker.fetched.total() == 0

        def by_its_own(token, header, issuer):
            (published,) = httpx.get(header["jku"]).json()["keys"]
            verified(token, import_key(published))

        without("_check_signature", by_its_own)

        assert ask(token).status == 200
        assert attacker.fetched["/certs"] == 1


class TestWithKeysOfAnybodyTrusted:
    def test_one_realm_signs_for_the_other(
        self, ask, issuer, other_issuer, claims, without
    ) -> None:
        token = issuer.token(key=other_issuer.keys[-1], **claims)
        assert ask(token).status == 401

        def by_any(token, header, trusted):
            for one in (issuer, other_issuer):
                for key in one.keys:
                    if key.kid == header["kid"]:
                        verified(token, key)
                        return
            raise AssertionError("nobody's")

        without("_check_signature", by_any)

        assert ask(token).status == 200

    def test_a_stranger_that_is_looked_up_is_trusted(
        self, ask, provider, claims, monkeypatch
    ) -> None:
        stranger = provider.realm("stranger", "RS256")
        token = stranger.token(**claims)
        assert ask(token).status == 401
        issuer_of = verifying.TokenVerifier._issuer

        def any_issuer(self, told):
            (known, *_) = self.issuers.values()
            assert told["iss"] == stranger.url
            return issuer_of(self, {**told, "iss": known.settings.issuer})

        monkeypatch.setattr(verifying.TokenVerifier, "_issuer", any_issuer)
        monkeypatch.setattr(
            verifying,
            "_check_signature",
            lambda token, header, _: verified(token, stranger.keys[-1]),
        )

        assert ask(token).status == 200


@pytest.mark.parametrize(
    ("check", "claims_over"),
    [
        ("_check_audience", {"aud": "another"}),
        ("_check_audience", {"aud": None}),
        ("_check_kind", {"typ": "ID"}),
        ("_check_kind", {"typ": "Refresh"}),
        ("_check_kind", {"typ": None, "at_hash": "x"}),
        ("_check_kind", {"typ": None, "cnf": {"jkt": "x"}}),
    ],
)
def test_a_token_that_is_for_something_else_is_taken(
    ask, good, without, check, claims_over
) -> None:
    token = good(**claims_over)
    assert ask(token).status == 401

    without(check)

    assert ask(token).status == 200


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
def test_a_token_is_taken_at_any_time(ask, good, without, fyr_clock, claim) -> None:
    now = int(fyr_clock().timestamp())
    token = good(**{claim: now - 1000 if claim == "exp" else now + 1000})
    assert ask(token).status == 401

    ever = fyr_clock().fromisoformat(LONG_AGO), fyr_clock().fromisoformat(LATE)
    without("_check_times", lambda *_arguments: ever)

    assert ask(token).status == 200


def test_a_known_signature_vouches_for_another_payload(
    monkeypatch, request, good
) -> None:
    found = TokenCache.get

    def by_the_end(self, sent, now):
        for one in (*self._young.values(), *self._old.values()):
            if one.sent[-43:] == sent[-43:]:
                return found(self, one.sent, now)
        return None

    monkeypatch.setattr(TokenCache, "get", by_the_end)
    ask = request.getfixturevalue("ask")
    token = good()
    assert ask(token).status == 200
    header, payload, signature = token.split(".")
    told = json.loads(base64.urlsafe_b64decode(payload + "=="))

    changed = f"{header}.{part({**told, 'name': 'Mallory'})}.{signature}"

    assert ask(changed).status == 200


class TestWithoutAnInterval:
    @pytest.fixture
    def token_settings(self):
        return {"unknown_key_seconds": 0}

    def test_each_unknown_key_has_the_issuer_asked(
        self, ask, good, issuer, claims, own
    ) -> None:
        assert ask(good()).status == 200
        before = issuer.fetched["/certs"]

        for number in range(5):
            header = {"kid": f"unknown-{number}"}
            assert ask(issuer.token(key=own, header=header, **claims)).status == 401

        assert issuer.fetched["/certs"] >= before + 5
