"""Who is told which versions an interaction has shown or made: the hook ``answered``.

Callers test ``hooks.answered`` first, so that a server without such a plugin pays nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import TYPE_CHECKING, Any

from fyr.core.context import How, RequestContext, Touched
from fyr.core.interactions.joined import JoinedDatabase
from fyr.core.store.port import Session, Stored

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions
    from fyr.core.model.resource import Resource


def tell(
    interactions: Interactions,
    context: RequestContext,
    touched: Iterable[Touched] = (),
    *,
    status: int = 200,
    session: Session | None = None,
) -> None:
    """Tell plugins of an interaction, or the operation that it is a part of.

    :param session: the transaction of a write; that which is running, if none is given.
    :raises fyr.core.errors.FyrError: a plugin does not let it be answered.
    """
    if interactions.collected is not None:
        interactions.collected.extend(touched)
        return
    database = interactions.database
    if session is None and isinstance(database, JoinedDatabase):
        session = database.session
    interactions.hooks.answered(
        context=context, session=session, status=status, touched=tuple(touched)
    )


def shown_of(found: Iterable[Stored]) -> list[Touched]:
    """Tell of versions that are shown."""
    return [Touched(one.type, one.id, one.version, "read") for one in found]


def note_shown(interactions: Interactions, resource: Resource) -> None:
    """Note, while an operation is collecting, that a stored resource is shown by it."""
    if interactions.collected is not None:
        version = int(resource.get("meta", {}).get("versionId", 0))
        kind, identity = resource["resourceType"], resource["id"]
        interactions.collected.append(Touched(kind, identity, version, "read"))


def made_of(before: Stored | None, stored: Stored) -> Touched:
    """Tell of a version that was made."""
    if stored.deleted:
        return Touched(stored.type, stored.id, stored.version, "delete")
    how: How = "create" if before is None or before.deleted else "update"
    return Touched(stored.type, stored.id, stored.version, how)


def collecting(interactions: Interactions) -> Interactions:
    """Give interactions that keep what they touch, for the operation that they serve."""
    own = copy(interactions)
    own.collected = []
    return own


def touched_by(interactions: Interactions, result: Resource | None) -> list[Touched]:
    """Tell, each once, what an operation's interactions touched and what it answers."""
    kept = [*(interactions.collected or ()), *_answered(result)]
    # What was written is not also shown: the answer to a write is no second access.
    known = {(one.type, one.id, one.version) for one in kept if one.how != "read"}
    kept = [
        one
        for one in kept
        if one.how != "read" or (one.type, one.id, one.version) not in known
    ]
    return list(dict.fromkeys(kept))


def _answered(value: Any) -> Iterable[Touched]:
    """Find stored versions in a result: itself, in its entries or its parameters."""
    if not isinstance(value, dict):
        return
    version = value.get("meta", {}).get("versionId", "")
    if "resourceType" in value and "id" in value and version.isdecimal():
        yield Touched(value["resourceType"], value["id"], int(version), "read")
    for part in (*value.get("entry", ()), *value.get("parameter", ())):
        if isinstance(part, dict):
            yield from _answered(part.get("resource"))
            yield from _answered({"parameter": part.get("part", ())})
