"""Tokens that choose another algorithm than their issuer signs with.

https://www.rfc-editor.org/rfc/rfc8725#section-2.1
"""

import base64
import hmac
import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey


def part(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.fixture(autouse=True)
def _a_good_token_passes(ask, good):
    assert ask(good()).status == 200


@pytest.mark.parametrize("signature", ["", "AA", "c2lnbmVk"])
def test_an_unsigned_token_is_refused(ask, issuer, claims, signature) -> None:
    for name in ("none", "None", "NONE", "nOnE", "", None):
        header = part({"alg": name, "typ": "JWT", "kid": issuer.keys[-1].kid})
        token = f"{header}.{part(issuer.claims(**claims))}.{signature}"

        assert ask(token).status == 401


@pytest.mark.parametrize("bits", [256, 384, 512])
def test_a_public_key_used_as_a_shared_secret_is_refused(
    is_refused, issuer, claims, bits
) -> None:
    key = issuer.keys[-1]
    secrets = (
        key.as_pem(private=False),
        key.as_pem(private=False).strip(),
        key.as_der(private=False),
        json.dumps(key.as_dict(private=False)).encode(),
        key.as_dict(private=False)["n"].encode(),
    )
    header = part({"alg": f"HS{bits}", "typ": "JWT", "kid": key.kid})
    signed = f"{header}.{part(issuer.claims(**claims))}"
    for secret in secrets:
        made = hmac.new(secret, signed.encode(), f"sha{bits}").digest()
        signature = base64.urlsafe_b64encode(made).decode().rstrip("=")

        assert is_refused(f"{signed}.{signature}")


def test_a_shared_secret_that_the_issuer_publishes_is_no_key(
    is_refused, ask, good, issuer, claims, fyr_clock
) -> None:
    secret = OctKey.generate_key(256, {"kid": "shared"})
    published = json.loads(issuer.document("/certs"))
    published["keys"].append(secret.as_dict())
    issuer.instead["/certs"] = json.dumps(published).encode()
    token = jwt.encode(
        {"alg": "HS256", "kid": "shared"},
        issuer.claims(**claims),
        secret,
        algorithms=["HS256"],
    )

    assert is_refused(token)
    assert ask(good()).status == 200


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_an_algorithm_that_is_not_configured_is_refused(
    is_refused, issuer, claims, algorithm
) -> None:
    """Though the key could sign so."""
    from joserfc.jwk import RSAKey

    key = issuer.keys[-1].as_dict(private=True)
    del key["alg"]
    token = jwt.encode(
        {"alg": algorithm, "kid": key["kid"]},
        issuer.claims(**claims),
        RSAKey.import_key(key),
        algorithms=[algorithm],
    )

    assert is_refused(token)


def test_another_type_of_key_under_the_same_name_is_refused(
    is_refused, issuer, claims
) -> None:
    own = ECKey.generate_key("P-256", {"kid": issuer.keys[-1].kid})
    token = jwt.encode({"alg": "ES256", "kid": own.kid}, issuer.claims(**claims), own)

    assert is_refused(token)


def test_an_algorithm_of_another_shape_is_refused(is_refused, good) -> None:
    header, payload, signature = good().split(".")
    told = json.loads(base64.urlsafe_b64decode(header + "=="))
    for name in (["RS256"], {"RS256": 1}, 256, True, "rs256", "RS256 "):
        assert is_refused(f"{part({**told, 'alg': name})}.{payload}.{signature}")
