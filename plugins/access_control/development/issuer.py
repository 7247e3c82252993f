"""The development issuer: its realms, its tokens, and the trust in them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from fyr.core import Clock
from fyr.core.hosts import is_loopback
from fyr.core.security.keys import KeyRing
from fyr.core.security.publishing import published_keys
from fyr.core.security.settings import IssuerSettings
from fyr.core.security.verifying import TrustedIssuer
from fyr.plugins.access_control.development.key import ALGORITHM

AUDIENCE = "EHealth"
#: User type -> the realm where such users log in.
REALMS: Mapping[str, str] = {
    "PRACTITIONER": "ehealth",
    "SYSTEM": "ehealth",
    "PATIENT": "nemlogin",
    "SSL": "ssl",
}
#: Where the realms are, below the server.
PATH = "/dev/realms"
#: As long as a clinical session.
SESSION_SECONDS = 36_000
#: As long as the access tokens of the infrastructure.
TOKEN_SECONDS = 300

#: What a token says of its user, without the times: claims by name.
Session = Mapping[str, Any]


class DevelopmentIssuer:
    """Signs tokens, and tells whether one is its own."""

    def __init__(self, key: RSAKey, clock: Clock) -> None:
        """Take the key of the data folder."""
        self._key = key
        self._clock = clock

    @property
    def jwks(self) -> dict[str, Any]:
        """The public key, as a JWK Set."""
        return {"keys": [self._key.as_dict(private=False)]}

    def trusted(self) -> list[TrustedIssuer]:
        """Tell the realms as issuers that are trusted."""
        keys = KeyRing(published_keys(self.jwks))
        return [
            TrustedIssuer(
                IssuerSettings(
                    issuer=f"http://localhost{PATH}/{realm}",
                    realm=realm,
                    audiences=[AUDIENCE],
                    algorithms=[ALGORITHM],
                ),
                keys,
            )
            for realm in sorted(set(REALMS.values()))
        ]

    def answer(self, url: str, session: Session, seconds: int) -> dict[str, Any]:
        """Make the tokens of a session: https://www.rfc-editor.org/rfc/rfc6749#section-5.1.

        :param url: the realm's, as the client sees it.
        :param seconds: how long the access token is good.
        """
        life = max(seconds, SESSION_SECONDS)
        return {
            "access_token": self._signed(url, session, "Bearer", AUDIENCE, seconds),
            "expires_in": seconds,
            "refresh_token": self._signed(url, session, "Refresh", url, life),
            "refresh_expires_in": life,
            "token_type": "Bearer",
            "scope": session.get("scope", ""),
        }

    def session_of(self, refresh_token: str, realm: str) -> dict[str, Any] | None:
        """Give the session of a refresh token; ``None`` when it does not hold here."""
        try:
            found = jws.deserialize_compact(
                refresh_token, self._key, algorithms=[ALGORITHM]
            )
            claims = orjson.loads(found.payload or b"")
        except (JoseError, ValueError, UnicodeError):
            return None
        now = self._clock().timestamp()
        kind, issuer = claims.get("typ"), claims.get("iss", "")
        if kind != "Refresh" or now >= claims["exp"] or realm_of(issuer) != realm:
            return None
        times = ("exp", "iat", "jti", "typ", "aud", "iss")
        return {name: one for name, one in claims.items() if name not in times}

    def _signed(
        self, url: str, session: Session, kind: str, audience: str, seconds: int
    ) -> str:
        now = int(self._clock().timestamp())
        claims = {
            **session,
            "iss": url,
            "aud": audience,
            "typ": kind,
            "iat": now,
            "exp": now + seconds,
            "jti": secrets.token_hex(12),
        }
        header = {"alg": ALGORITHM, "kid": self._key.kid}
        return jwt.encode(header, claims, self._key, algorithms=[ALGORITHM])


def realm_of(url: str) -> str | None:
    """Tell which realm a URL is that of: of this machine's, whatever name and port."""
    try:
        parts = urlsplit(url)
        here = is_loopback(parts.hostname or "")
    except ValueError:
        return None
    name = parts.path.removeprefix(f"{PATH}/")
    plain = not (parts.query or parts.fragment or parts.username)
    return name if here and plain and name in REALMS.values() else None


def trusted_name(url: str) -> str:
    """Give the URL under which a realm is trusted; any other stays as it is.

    The key is what is trusted, and it never leaves this machine: by which port the
    server is reached makes no difference.
    """
    realm = realm_of(url)
    return f"http://localhost{PATH}/{realm}" if realm else url
