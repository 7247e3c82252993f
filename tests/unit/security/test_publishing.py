"""What is taken of what an issuer publishes."""

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from fyr.core.security.fetching import Unfetched, fetch_object
from fyr.core.security.keys import KeyRing
from fyr.core.security.publishing import published_keys
from fyr.core.testing.issuer import issuing

RSA = RSAKey.generate_key(2048, {"kid": "rsa"}).as_dict(private=False)
EC = ECKey.generate_key("P-256", {"kid": "ec"}).as_dict(private=False)


def kids(*jwks):
    return [one.kid for one in published_keys({"keys": list(jwks)})]


def test_public_keys_for_signatures_are_taken() -> None:
    okp = OKPKey.generate_key("Ed25519", {"kid": "okp"}).as_dict(private=False)

    assert kids(RSA, EC, okp) == ["rsa", "ec", "okp"]


def test_everything_else_is_left_out() -> None:
    secret = OctKey.generate_key(256, {"kid": "secret"}).as_dict()
    short = {**RSA, "n": RSA["n"][:171]}

    assert kids({**RSA, "use": "enc"}, secret, short, {}, {"kty": "RSA"}, 7) == []
    assert kids({**EC, "crv": "P-999"}, {**EC, "x": "!"}, {**RSA, "kid": 7}) == []


@pytest.mark.parametrize("document", [{}, {"keys": 7}, {"keys": {"rsa": RSA}}])
def test_what_is_no_key_set_is_refused(document) -> None:
    with pytest.raises(Unfetched):
        published_keys(document)


def test_a_key_is_for_its_own_algorithms() -> None:
    ring = KeyRing(published_keys({"keys": [RSA, {**EC, "alg": "ES256"}]}))

    assert ring.find("rsa", "RS256")
    assert ring.find("rsa", "PS512")
    assert ring.find("rsa", "ES256") is None
    assert ring.find("ec", "ES256")
    assert ring.find("ec", "ES384") is None
    assert ring.find("nobody", "RS256") is None


def test_two_keys_of_one_name_are_none() -> None:
    other = RSAKey.generate_key(2048, {"kid": "rsa"}).as_dict(private=False)
    ring = KeyRing(published_keys({"keys": [RSA, other]}))

    assert ring.find("rsa", "RS256") is None


class TestFetching:
    @pytest.fixture
    def issuer(self):
        with issuing() as running:
            yield running

    def test_a_document_is_fetched(self, issuer) -> None:
        assert fetch_object(f"{issuer.url}/certs", 5)["keys"]

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"{" + b" " * 300_000])
    def test_what_is_no_object_or_too_long_is_refused(self, issuer, body) -> None:
        issuer.instead["/certs"] = body

        with pytest.raises(Unfetched):
            fetch_object(f"{issuer.url}/certs", 5)

    def test_what_is_not_there_is_refused(self, issuer) -> None:
        with pytest.raises(Unfetched, match="404"):
            fetch_object(f"{issuer.url}/nothing", 5)

    def test_who_does_not_answer_is_given_up(self, issuer) -> None:
        issuer.answers.clear()

        with pytest.raises(Unfetched):
            fetch_object(f"{issuer.url}/certs", 0.1)

    def test_what_could_be_altered_is_not_asked_for(self) -> None:
        with pytest.raises(Unfetched, match="https"):
            fetch_object("http://192.0.2.1/certs", 0.1)
