"""What an issuer publishes: its description and its keys.

https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig,
https://www.rfc-editor.org/rfc/rfc7517
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

from fyr.core.security.fetching import Unfetched, fetch_object
from fyr.core.security.settings import IssuerSettings

log = structlog.get_logger("fyr.security")

#: More keys than any provider keeps.
_MAX_KEYS = 100
#: Bits; smaller ones can be broken, larger ones cost too much.
_RSA_BITS = range(2048, 8192 + 1)
#: Algorithm -> what its key must be: type, and curve where there is one.
_FITTING: Mapping[str, tuple[str, str | None]] = {
    **{f"RS{bits}": ("RSA", None) for bits in (256, 384, 512)},
    **{f"PS{bits}": ("RSA", None) for bits in (256, 384, 512)},
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}


@dataclass(frozen=True, slots=True)
class PublishedKey:
    """A public key for signatures, and what it may be used for."""

    kid: str | None
    thumbprint: str
    kind: str
    curve: str | None
    algorithm: str | None
    key: Key

    def fits(self, algorithm: str) -> bool:
        """Whether a signature of this algorithm can be this key's."""
        kind, curve = _FITTING[algorithm]
        return (
            self.kind == kind
            and curve in (None, self.curve)
            and self.algorithm in (None, algorithm)
        )


def fetch_keys(issuer: IssuerSettings, seconds: float) -> tuple[PublishedKey, ...]:
    """Get the keys that an issuer signs with now.

    :param seconds: for each of the two documents.
    :raises Unfetched: it cannot be reached, describes another issuer, or has no key.
    """
    url = issuer.jwks_url or _discovered(issuer, seconds)
    keys = published_keys(fetch_object(url, seconds))
    if not keys:
        raise Unfetched("it publishes no key for signatures")
    return keys


def _discovered(issuer: IssuerSettings, seconds: float) -> str:
    described = fetch_object(issuer.discovery, seconds)
    if described.get("issuer") != issuer.issuer:
        raise Unfetched("what is found there describes another issuer")
    url = described.get("jwks_uri")
    if not isinstance(url, str):
        raise Unfetched("it does not say where its keys are (jwks_uri)")
    return url


def published_keys(jwks: Mapping[str, Any]) -> tuple[PublishedKey, ...]:
    """Read a JWK Set; what is no public key for signatures is left out."""
    listed = jwks.get("keys")
    if not isinstance(listed, list):
        raise Unfetched("what it publishes is not a JWK Set")
    found = (_read(one) for one in listed[:_MAX_KEYS] if isinstance(one, dict))
    return tuple(one for one in found if one is not None)


def _read(jwk: dict[str, Any]) -> PublishedKey | None:
    kid, kind, algorithm = (jwk.get(name) for name in ("kid", "kty", "alg"))
    if not isinstance(kid, str | None) or not isinstance(algorithm, str | None):
        return None
    # Shared secrets ("oct") and keys for encryption are none of ours.
    if kind not in ("RSA", "EC", "OKP") or jwk.get("use", "sig") != "sig":
        return None
    if kind == "RSA" and _bits(jwk.get("n")) not in _RSA_BITS:
        log.warning("an issuer's key is too short or too long", type=kind)
        return None
    try:
        key = import_key(jwk)
        thumbprint = key.thumbprint()
    except (JoseError, ValueError, TypeError, KeyError) as error:
        log.warning("an issuer's key cannot be read", problem=type(error).__name__)
        return None
    curve = jwk.get("crv")
    return PublishedKey(kid, thumbprint, kind, curve, algorithm, key)


def _bits(modulus: object) -> int:
    """Tell the size of an RSA key; base64url has six bits a letter, the last ones none."""
    return len(modulus) * 6 // 8 * 8 if isinstance(modulus, str) else 0
