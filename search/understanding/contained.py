"""Contained resources: what a criterion means inside of others, and ``_contained``.

https://hl7.org/fhir/R4/search.html#contained. Their values stand in the index under
numbers of their own, so that no other search meets them.
"""

from collections.abc import Iterable
from dataclasses import replace

from fyr.core.errors import Invalid, NotSupported
from fyr.core.searching import CONTAINED
from fyr.search.extraction.contained import numbers_within
from fyr.search.hashes import contained_id
from fyr.search.tree import (
    All,
    AnyOf,
    Chain,
    Criterion,
    Match,
    Missing,
    Not,
    Query,
    Sources,
)

_VALUES = {
    CONTAINED: ("false", "true", "both"),
    "_containedType": ("container", "contained"),
}
_NOT_BESIDE = frozenset({"_sort", "_include", "_revinclude"})
#: Parameters about contained resources.
CONTAINING = frozenset(_VALUES)


def take(query: Query, pairs: Iterable[tuple[str, str]]) -> None:
    """Understand whether, and how, contained resources are asked for.

    Before all others, as every criterion depends on it.

    :raises Invalid: a value means nothing.
    """
    for name, value in pairs:
        known = _VALUES.get(name)
        if known is None:
            continue
        if value not in known:
            raise Invalid(f"{name} is one of {', '.join(known)}, not {value[:60]!r}")
        if name == CONTAINED:
            query.contained = "" if value == "false" else value
        else:
            query.alone = value == "contained"


def refuse_beside(query: Query, name: str) -> None:
    """Refuse what cannot be asked together with contained resources.

    :raises NotSupported: they are to be sorted, or something is to be included.
    """
    if query.contained and name.partition(":")[0] in _NOT_BESIDE:
        raise NotSupported(
            f"_contained={query.contained} is not answered together with {name[:40]}"
        )


def add_inside(query: Query, name: str, criterion: Criterion) -> None:
    """Add what a criterion is about contained resources.

    :raises NotSupported: none can meet it.
    """
    moved = inside(criterion, query.types)
    if moved is None:
        raise NotSupported(
            f"{name[:60]!r} cannot be asked of contained resources: _contained=false"
            " leaves them out"
        )
    query.inside.append(moved)


def inside(criterion: Criterion, types: Iterable[str]) -> Criterion | None:
    """Tell what a criterion is about a contained resource of one of some types.

    ``None``: none can meet it, as it is about what only a resource of its own has: an id
    for all to know, a time of change, words, others that refer to it; or about what
    contained ones are not found by.
    """
    return _Inside(frozenset().union(*map(numbers_within, types))).of(criterion)


class _Inside:
    """Moves criteria into what is contained."""

    def __init__(self, numbers: frozenset[int]) -> None:
        self._numbers = numbers

    def of(self, criterion: Criterion) -> Criterion | None:
        match criterion:
            case Match() | Missing():
                moved = self._moved(criterion.sources)
                return None if moved is None else replace(criterion, sources=moved)
            case Chain(sources):
                moved = self._moved(sources)
                if moved is None:
                    return None
                return replace(criterion, sources=moved, within=True)
            case All(parts):
                found = self._each(parts)
                return All(found) if len(found) == len(parts) else None
            case AnyOf(parts):
                found = self._each(parts)
                return AnyOf(found) if found else None
            case Not(part):
                meant = self.of(part)
                return None if meant is None else Not(meant)
            case _:
                return None

    def _each(self, parts: Iterable[Criterion]) -> tuple[Criterion, ...]:
        return tuple(one for one in map(self.of, parts) if one is not None)

    def _moved(self, sources: Sources) -> Sources | None:
        """Give the places in contained resources; ``None``: some are none of theirs."""
        if any(one.number not in self._numbers for one in sources):
            return None
        return tuple(replace(one, number=contained_id(one.number)) for one in sources)
