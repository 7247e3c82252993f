"""``/dev/realms/{realm}``: what the development issuer answers, as Keycloak does there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import falcon
import orjson

from fyr.core import Principal, Route
from fyr.core.errors import NotFound, Unauthenticated
from fyr.core.hosts import is_loopback
from fyr.plugins.access_control.authentication import Authentication
from fyr.plugins.access_control.development.issuer import (
    PATH,
    REALMS,
    TOKEN_SECONDS,
    DevelopmentIssuer,
)
from fyr.plugins.access_control.development.stored import Stored
from fyr.plugins.access_control.development.switching import (
    CHOICES,
    RefusedChoice,
    switched,
)

if TYPE_CHECKING:
    from fyr.core import Application

_FORM = "application/x-www-form-urlencoded"
_MAX_BYTES = 65_536
_REFRESH = "refresh_token"


def routes(
    issuer: DevelopmentIssuer, authentication: Authentication, application: Application
) -> Iterable[Route]:
    """Give the routes of the issuer."""
    realm = f"{PATH}/{{realm}}"
    connect = f"{realm}/protocol/openid-connect"
    stored = Stored(application)
    for path, resource, documentation in (
        (
            f"{realm}/.well-known/openid-configuration",
            Description(),
            "What the development issuer says of itself.",
        ),
        (f"{connect}/certs", Certificates(issuer), "Its public key."),
        (f"{connect}/token", Tokens(issuer, stored), "Another context, by refresh."),
        (f"{connect}/userinfo", UserInfo(authentication), "What a token says."),
        (
            f"{realm}/resource/ehealth-connect/contexts",
            Contexts(authentication, stored),
            "Care teams and organizations that an employee may choose.",
        ),
    ):
        yield Route(path, resource, documentation, public=True)


class Description:
    """The issuer's metadata: https://openid.net/specs/openid-connect-discovery-1_0.html."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, realm: str) -> None:
        """Tell where everything is."""
        url = _url(req, realm)
        connect = f"{url}/protocol/openid-connect"
        _answer(
            resp,
            {
                "issuer": url,
                "jwks_uri": f"{connect}/certs",
                "token_endpoint": f"{connect}/token",
                "userinfo_endpoint": f"{connect}/userinfo",
                "grant_types_supported": [_REFRESH],
                "response_types_supported": [],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            },
        )


class Certificates:
    """The public key."""

    def __init__(self, issuer: DevelopmentIssuer) -> None:
        """Take whose key it is."""
        self._issuer = issuer

    def on_get(self, req: falcon.Request, resp: falcon.Response, realm: str) -> None:
        """Give the JWK Set."""
        _url(req, realm)
        _answer(resp, self._issuer.jwks)


class Tokens:
    """The token endpoint: https://www.rfc-editor.org/rfc/rfc6749#section-6."""

    def __init__(self, issuer: DevelopmentIssuer, stored: Stored) -> None:
        """Take who signs, and who knows what is stored."""
        self._issuer = issuer
        self._stored = stored

    def on_post(self, req: falcon.Request, resp: falcon.Response, realm: str) -> None:
        """Give new tokens for a refresh token, in the context that is asked for."""
        url = _url(req, realm)
        form = _form(req)
        if form is None:
            _refuse(resp, "invalid_request", f"send each parameter once, as {_FORM}")
            return
        if form.get("grant_type") != _REFRESH:
            _refuse(resp, "unsupported_grant_type", f"grant_type is to be {_REFRESH}")
            return
        session = self._issuer.session_of(form.get(_REFRESH, ""), realm)
        if session is None or session.get("azp") != form.get("client_id"):
            _refuse(resp, "invalid_grant", "the refresh token does not hold here")
            return
        root = url.removesuffix(f"{PATH}/{realm}")
        try:
            context = switched(
                session,
                form,
                partial(self._stored.refers_to, root),
                partial(self._stored.local, root),
            )
        except RefusedChoice as error:
            _refuse(resp, "invalid_request", str(error))
            return
        _answer(
            resp,
            self._issuer.answer(url, {**session, "context": context}, TOKEN_SECONDS),
        )


class UserInfo:
    """What a token says of its user."""

    def __init__(self, authentication: Authentication) -> None:
        """Take who checks tokens."""
        self._authentication = authentication

    def on_get(self, req: falcon.Request, resp: falcon.Response, realm: str) -> None:
        """Tell it to whoever holds the token."""
        _url(req, realm)
        principal = _holder(self._authentication, req, realm)
        members = {
            name: principal.context.get(name.removesuffix("_id")) for name in CHOICES
        }
        _answer(
            resp,
            {
                "sub": principal.user_id,
                "name": principal.name,
                "user_type": principal.user_type,
                "user_id": principal.user_id,
                "roles": sorted(principal.privileges),
                "context": {name: url for name, url in members.items() if url},
            },
        )


class Contexts:
    """What an employee may choose: the care teams in which they take part, by what is stored."""

    def __init__(self, authentication: Authentication, stored: Stored) -> None:
        """Take who checks tokens, and who knows what is stored."""
        self._authentication = authentication
        self._stored = stored

    def on_get(self, req: falcon.Request, resp: falcon.Response, realm: str) -> None:
        """Tell it to whoever holds the token."""
        root = _url(req, realm).removesuffix(f"{PATH}/{realm}")
        principal = _holder(self._authentication, req, realm)
        teams = self._stored.teams_of(root, principal.user_id)
        own = {one["affiliation"]["id"]: one for one in teams if "affiliation" in one}
        _answer(
            resp,
            {
                "care_teams": teams,
                "organizations": [
                    {**one["affiliation"], "roles": one["roles"]}
                    for one in own.values()
                ],
            },
        )


def _holder(
    authentication: Authentication, req: falcon.Request, realm: str
) -> Principal:
    principal = authentication.holder(req.get_header("Authorization"))
    if principal is None or principal.realm != realm:
        raise Unauthenticated("send an access token of this realm")
    return principal


def _url(req: falcon.Request, realm: str) -> str:
    """Tell the realm's URL as the client sees it.

    :raises NotFound: there is none, or the client does not mean this machine.
    """
    if realm not in REALMS.values() or not is_loopback(req.host):
        raise NotFound("no such realm")
    return f"{req.scheme}://{req.netloc}{PATH}/{realm}"


def _form(req: falcon.Request) -> dict[str, str] | None:
    if (req.content_type or "").partition(";")[0].strip().lower() != _FORM:
        return None
    data = req.bounded_stream.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        return None
    try:
        found = parse_qs(data.decode(), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        return None
    if any(len(values) > 1 for values in found.values()):
        return None
    return {name: values[0] for name, values in found.items()}


def _answer(resp: falcon.Response, told: Mapping[str, Any]) -> None:
    resp.data = orjson.dumps(told)
    resp.content_type = "application/json"
    resp.set_header("Cache-Control", "no-store")


def _refuse(resp: falcon.Response, error: str, reason: str) -> None:
    """Refuse as https://www.rfc-editor.org/rfc/rfc6749#section-5.2 has it."""
    resp.status = falcon.HTTP_400
    _answer(resp, {"error": error, "error_description": reason})
