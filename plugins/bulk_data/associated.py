"""Provenances of what an export holds: ``includeAssociatedData``.

https://hl7.org/fhir/uv/bulkdata/STU2/export.html#query-parameters
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
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


@dataclass(slots=True)
class Associated:
    """The Provenances of an export, and those that its caller may not ask for."""

    keys: set[Key] = field(default_factory=set)
    #: resources whose Provenances may be asked for, and those of which they may not
    asked: int = 0
    refused: int = 0
    #: the first reason
    why: str = ""

    def refuse(self, count: int, error: Forbidden) -> None:
        """Note that some were refused."""
        self.refused += count
        self.why = self.why or "; ".join(one.diagnostics for one in error.issues)


def provenances(
    session: Session, scope: Scope, references: Iterable[str]
) -> Associated:
    """Find the Provenances whose target is one of some resources.

    With ``LatestProvenanceResources`` those that were recorded last of each target. Who
    has to name one target of a context in each search asks for one after the other.

    :param references: such as ``Patient/1``, type by type.
    """
    found = Associated()
    for _, same in groupby(references, key=lambda one: one.partition("/")[0]):
        together = True
        for part in _parts(same):
            if together:
                try:
                    found.keys.update(_of(session, scope, part))
                    found.asked += len(part)
                    continue
                except Forbidden:
                    together = False
            if not _one_by_one(session, scope, part, found):
                # Of so many that will be the type, and not each of them.
                found.refused += sum(1 for _ in same)
                break
    return found


def _one_by_one(
    session: Session, scope: Scope, part: Sequence[str], found: Associated
) -> bool:
    """Ask for the Provenances of each alone; whether any of them may be asked for."""
    before = found.asked
    for reference in part:
        try:
            found.keys.update(_of(session, scope, [reference]))
            found.asked += 1
        except Forbidden as error:
            found.refuse(1, error)
    return found.asked > before


def _of(session: Session, scope: Scope, references: Sequence[str]) -> Iterable[Key]:
    """Find the Provenances of some resources by one search.

    :raises Forbidden: the caller may not make it.
    """
    context = scope.search("Provenance", [("target", ",".join(references))])
    every = scope.interactions.every(session, context, Extent())
    keys = [key for rows in every for key in rows]
    if LATEST not in scope.asked.associated:
        return keys
    return _latest(scope.interactions.within(session), keys, set(references))


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
            # A Provenance is often about one version: it is found by the resource, too.
            reference = target.get("reference", "").partition("/_history/")[0]
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
