"""Who asked: kept for the worker, which acts with the same rights, and for the owner check."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, cast

from fyr.core import Principal
from fyr.core.context import ANONYMOUS, SYSTEM

_SETS = frozenset({"privileges", "scopes", "tags"})


def owner_of(principal: Principal) -> str:
    """Tell who a principal is, whatever token it has by now."""
    return "\n".join((principal.issuer, principal.user_type, principal.user_id))


def kept(principal: Principal) -> dict[str, Any]:
    """Write a principal down; its token is not part of it."""
    # No credentials lead to these two, and nothing that is written here does.
    if principal is ANONYMOUS:
        return {"is": "anonymous"}
    if principal is SYSTEM:
        return {"is": "system"}
    given = {one.name: getattr(principal, one.name) for one in fields(Principal)}
    return {
        name: sorted(value)
        if name in _SETS
        else dict(value)
        if name == "context"
        else value
        for name, value in given.items()
    }


def restored(caller: dict[str, Any]) -> Principal:
    """Give the principal again."""
    if "is" in caller:
        return SYSTEM if caller["is"] == "system" else ANONYMOUS
    given = {
        name: frozenset(value) if name in _SETS else value
        for name, value in caller.items()
    }
    return cast(Any, Principal)(**given)  # type: ignore[no-any-return]
