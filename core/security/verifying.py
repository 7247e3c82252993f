"""Bearer tokens checked: https://www.rfc-editor.org/rfc/rfc8725, RFC 7519, RFC 9068.

A token chooses among the issuers of the settings, and among that issuer's keys and
algorithms; it brings neither key nor algorithm of its own. Only access tokens count.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from joserfc import jws
from joserfc.errors import JoseError

from fyr.core.context import Principal
from fyr.core.security.bearer import InvalidToken
from fyr.core.security.cache import SENT, Known, TokenCache
from fyr.core.security.claims import Claims, principal_of
from fyr.core.security.keys import Keys
from fyr.core.security.settings import IssuerSettings, TokenSettings

_NO_TOKEN = "it is not a signed JSON Web Token"
_COMPACT = re.compile(r"([\w-]+)\.([\w-]+)\.([\w-]+)", re.ASCII).fullmatch
#: Headers by which a token would bring its own key, or rules that are not known here.
_REFUSED_HEADERS = ("crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "enc")
_HEADER_TYPES = frozenset({"", "jwt", "at+jwt", "application/at+jwt"})
#: Claims that an access token does not have, and what does.
_OTHER_KINDS = {
    "at_hash": "it is an ID token",
    "c_hash": "it is an ID token",
    "events": "it is a security event",
    # Who presents it would have to prove that they hold a key.
    "cnf": "it is bound to a key, which a bearer does not prove to have",
}
#: Farther than any token reaches, and within what a datetime can hold.
_LATEST = datetime(9000, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer, and where its keys come from."""

    settings: IssuerSettings
    keys: Keys


class TokenVerifier:
    """Makes principals of bearer tokens; one for each application."""

    def __init__(
        self,
        issuers: Iterable[TrustedIssuer],
        settings: TokenSettings,
        trusted_name: Callable[[str], str] = str,
    ) -> None:
        """Take those who are trusted; no two may have one URL.

        :param trusted_name: gives the URL of an issuer that is known under several.
        """
        self.issuers = {one.settings.issuer: one for one in issuers}
        self._settings = settings
        self._trusted_name = trusted_name
        self._cache = TokenCache(settings.cached)
        #: gives what is known of a header whose token has been found good and still is
        self.known = self._cache.get

    def verify(self, token: str, now: datetime) -> Principal:
        """Tell whose a token is; the same object each time, until it expires.

        :param now: the time by this server's clock.
        :raises InvalidToken: it does not hold.
        :raises fyr.core.errors.Unavailable: its issuer's keys have never been had.
        """
        known = self._cache.get(SENT + token, now)
        if known is None:
            known = self._check(token, now)
            self._cache.put(known)
        return known.principal

    def _check(self, token: str, now: datetime) -> Known:
        header, claims = self._parts(token)
        issuer = self._issuer(claims)
        generation = issuer.keys.generation
        _check_signature(token, header, issuer)
        _check_kind(claims)
        _check_audience(claims, issuer.settings.audiences)
        begins, ends = _check_times(claims, issuer.settings, now)
        principal = principal_of(claims, issuer.settings)
        return Known(SENT + token, principal, begins, ends, issuer.keys, generation)

    def _parts(self, token: str) -> tuple[Claims, Claims]:
        if len(token) > self._settings.max_bytes:
            raise InvalidToken("it is too long")
        parts = _COMPACT(token)
        if parts is None:
            raise InvalidToken(_NO_TOKEN)
        _bytes(parts[3])
        return _decoded(parts[1]), _decoded(parts[2])

    def _issuer(self, claims: Claims) -> TrustedIssuer:
        name = claims.get("iss")
        if not isinstance(name, str):
            raise InvalidToken("it does not say who issued it")
        issuer = self.issuers.get(name) or self.issuers.get(self._trusted_name(name))
        if issuer is None:
            raise InvalidToken("its issuer is not trusted here")
        return issuer


def _decoded(part: str) -> Claims:
    try:
        found = orjson.loads(_bytes(part))
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise InvalidToken(_NO_TOKEN)
    return found


def _bytes(part: str) -> bytes:
    """Decode base64url in its one form: the same token has no two spellings."""
    try:
        found = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except NotBase64:
        raise InvalidToken(_NO_TOKEN) from None
    if urlsafe_b64encode(found).rstrip(b"=").decode() != part:
        raise InvalidToken(_NO_TOKEN)
    return found


def _check_signature(token: str, header: Claims, issuer: TrustedIssuer) -> None:
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in issuer.settings.algorithms:
        raise InvalidToken("its signature is of an algorithm that is not allowed")
    if any(name in header for name in _REFUSED_HEADERS):
        raise InvalidToken("its header brings a key or an extension of its own")
    if str(header.get("typ") or "").lower() not in _HEADER_TYPES:
        raise InvalidToken("its header says that it is not an access token")
    if not isinstance(kid, str | None):
        raise InvalidToken("it does not say by which key it is signed")
    key = issuer.keys.find(kid, algorithm)
    if key is None:
        raise InvalidToken("it is signed by a key that its issuer does not publish")
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = registry.max_payload_length = len(token)
    try:
        jws.deserialize_compact(token.encode(), key, registry=registry)
    except (JoseError, ValueError):
        raise InvalidToken("its signature does not hold") from None


def _check_kind(claims: Claims) -> None:
    kind = claims.get("typ")
    if kind is not None and (not isinstance(kind, str) or kind.lower() != "bearer"):
        raise InvalidToken("it is a token of another kind than an access token")
    for name, reason in _OTHER_KINDS.items():
        if name in claims:
            raise InvalidToken(reason)


def _check_audience(claims: Claims, accepted: Iterable[str]) -> None:
    told = claims.get("aud")
    audiences = [told] if isinstance(told, str) else told
    if not isinstance(audiences, list) or not any(one in audiences for one in accepted):
        raise InvalidToken("it is not meant for this server")


def _check_times(
    claims: Mapping[str, Any], issuer: IssuerSettings, now: datetime
) -> tuple[datetime, datetime]:
    """Tell between which moments the token holds, with the clocks' difference in it."""
    skew = timedelta(seconds=issuer.clock_skew_seconds)
    expires = _moment(claims, "exp")
    if expires is None:
        raise InvalidToken("it does not say when it expires")
    issued, begins = _moment(claims, "iat"), _moment(claims, "nbf")
    if now >= expires + skew:
        raise InvalidToken("it has expired")
    if issued is not None and now < issued - skew:
        raise InvalidToken("it is issued in the future")
    if begins is not None and now < begins - skew:
        raise InvalidToken("it is not valid yet")
    known = [one for one in (issued, begins) if one is not None]
    return max(known, default=now) - skew, expires + skew


def _moment(claims: Mapping[str, Any], name: str) -> datetime | None:
    found = claims.get(name)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise InvalidToken(f"its claim {name} is not a time")
    if not 0 <= found <= _LATEST:
        raise InvalidToken(f"its claim {name} is not a time")
    return datetime.fromtimestamp(found, UTC)
