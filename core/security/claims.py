"""What a token says of its user, as a principal."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from fyr.core.context import Principal
from fyr.core.security.bearer import InvalidToken
from fyr.core.security.settings import USER_TYPES, ClaimNames, IssuerSettings

Claims = Mapping[str, Any]
_CONTEXT = ("organization", "care_team", "patient", "episode_of_care")


def principal_of(claims: Claims, issuer: IssuerSettings) -> Principal:
    """Read the claims of a token that was verified.

    :raises InvalidToken: one is missing or is not what it should be.
    """
    names = issuer.claims
    user_type = _user_type(claims, names)
    if user_type not in issuer.user_types:
        raise InvalidToken(f"its issuer does not vouch for {user_type} users")
    context = _object(claims, names.context)
    scopes = _words(_at(claims, names.scope), names.scope)
    tag = f"{names.tag_system}|"
    return Principal(
        user_type,
        _text(claims, names.user_id) or _text(claims, "sub") or _nobody(),
        _words(_at(claims, names.privileges), names.privileges),
        {key: url for key in _CONTEXT if (url := _url(context, getattr(names, key)))},
        scopes,
        name=_text(claims, names.name),
        client_id=_text(claims, "azp") or _text(claims, "client_id"),
        issuer=issuer.issuer,
        realm=issuer.realm_name,
        tags=frozenset(one[len(tag) :] for one in scopes if one.startswith(tag)),
        team_on_episode=_flag(context, names.team_on_episode),
    )


def _user_type(claims: Claims, names: ClaimNames) -> str:
    told = _text(claims, names.user_type)
    if not told and names.missing_user_type:
        return names.missing_user_type
    found = names.user_types.get(told, told)
    if found not in USER_TYPES:
        known = ", ".join(sorted(USER_TYPES))
        state = "is not one of" if told else "is missing; it is one of"
        raise InvalidToken(f"its claim {names.user_type} {state} {known}")
    return str(found)


def _nobody() -> str:
    raise InvalidToken("it does not say who its user is")


def _at(claims: Claims, path: str) -> Any:
    """Give the value at a path; a claim whose own name has dots comes first."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def _object(claims: Claims, path: str) -> Claims:
    found = _at(claims, path)
    # Some mappers write an empty text for what is not there.
    if found is None or found == "":
        return {}
    if not isinstance(found, Mapping):
        raise InvalidToken(f"its claim {path} is not an object")
    return found


def _text(claims: Claims, path: str) -> str:
    found = _at(claims, path)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise InvalidToken(f"its claim {path} is not a text")
    return found.strip()


def _url(context: Claims, name: str) -> str:
    found = _text(context, name)
    if found and not found.startswith(("https://", "http://")):
        raise InvalidToken(f"{name} of its context is not an absolute URL")
    return found


def _flag(context: Claims, name: str) -> bool | None:
    found = _at(context, name)
    if found is None or found == "":
        return None
    if not isinstance(found, bool):
        raise InvalidToken(f"{name} of its context is neither true nor false")
    return found


def _words(found: Any, path: str) -> frozenset[str]:
    """Read a list of texts, or one text with spaces."""
    if found is None:
        return frozenset()
    if isinstance(found, str):
        return _shared(frozenset(found.split()))
    if isinstance(found, list) and all(isinstance(one, str) for one in found):
        return _shared(frozenset(found))
    raise InvalidToken(f"its claim {path} is not a list of texts")


@lru_cache(maxsize=256)
def _shared(words: frozenset[str]) -> frozenset[str]:
    """Give one and the same set for equal ones: most users have what others have."""
    return words
