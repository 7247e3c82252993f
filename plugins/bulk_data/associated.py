"""Provenances of what an export holds: ``includeAssociatedData``.

https://hl7.org/fhir/uv/bulkdata/STU2/export.html#query-parameters
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import orjson

from fyr.core import Forbidden, Session
from fyr.core.clock import to_millis
from fyr.core.searching import Extent
from fyr.plugins.bulk_data.asked import LATEST

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions
    from fyr.plugins.bulk_data.scope import Scope

#: Resources whose Provenances are asked for at once.
_AT_ONCE = 200

Key = tuple[int, int]


def provenances(session: Session, scope: Scope, references: Iterable[str]) -> list[Key]:
    """Find the Provenances whose target is one of some resources.

    With ``LatestProvenanceResources`` those that were recorded last of each target.

    :param references: such as ``Patient/1``.
    """
    within = scope.interactions.within(session)
    found: set[Key] = set()
    latest = LATEST in scope.asked.associated
    for part in _parts(references):
        context = scope.search("Provenance", [("target", ",".join(part))])
        try:
            every = scope.interactions.every(session, context, Extent())
        except Forbidden:
            return []
        keys = [key for rows in every for key in rows]
        found.update(_latest(within, keys, set(part)) if latest else keys)
    return sorted(found)


def _latest(
    within: Interactions, keys: Sequence[Key], wanted: set[str]
) -> Iterator[Key]:
    """Choose the one that was recorded last of each target."""
    best: dict[str, tuple[int, Key]] = {}
    bodies = within.resources.bodies(keys)
    for key, body in zip(keys, bodies, strict=True):
        if body is None:
            continue
        provenance = orjson.loads(body)
        recorded = to_millis(datetime.fromisoformat(provenance["recorded"]))
        for target in provenance.get("target", ()):
            reference = target.get("reference", "")
            if reference in wanted:
                known = best.get(reference, (recorded, key))
                best[reference] = max(known, (recorded, key))
    yield from {key for _, key in best.values()}


def _parts(references: Iterable[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for one in references:
        part.append(one)
        if len(part) == _AT_ONCE:
            yield part
            part = []
    if part:
        yield part
