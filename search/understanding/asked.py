"""What a search is about, for those who decide whether it may be asked.

Parameters are noted where all of them are looked up (:meth:`Known.find`); which matches a
criterion leaves is read from the tree, so that it does not matter how it was written.
"""

from collections.abc import Collection, Iterable, Iterator

from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.searching import SearchAsked
from fyr.search.parameters import Parameter
from fyr.search.tree import (
    Chain,
    Criterion,
    HasId,
    Match,
    Missing,
    Query,
    Sources,
    Target,
)
from fyr.search.understanding.known import Known


def asked(
    known: Known, query: Query, followed: Iterable[tuple[str, str]]
) -> SearchAsked:
    """Tell what a query is about.

    :param followed: type and reference of its includes.
    """
    brought = [one.brought for one in query.includes]
    return SearchAsked(
        types=query.types,
        touched=frozenset(known.touched | known.beyond),
        beyond=frozenset(known.beyond),
        followed=frozenset(followed),
        brought=frozenset().union(*brought) if all(brought) else frozenset(),
        pinned=frozenset(_pinned(known, query)),
    )


def _pinned(known: Known, query: Query) -> Iterator[tuple[str, str]]:
    """Tell the references that each match has, of parameters of the only type."""
    if len(query.types) != 1:
        return
    for criterion in query.criteria:
        yield from _pinned_by(known, query.types[0], criterion)


def _pinned_by(
    known: Known, kind: str, criterion: Criterion
) -> Iterator[tuple[str, str]]:
    match criterion:
        case Missing(sources, missing=True):
            for one in _links(known, kind):
                # A reference by an identifier alone is there as well.
                beside = known.places.beside([one], "identifier")
                if known.places.sources([one]) + beside == sources:
                    yield one.name, ""
        case HasId((identity,)):
            yield "_id", f"{kind}/{identity}"
        case Match(sources, negated=False):
            for one in _links(known, kind):
                if known.places.sources([one]) == sources:
                    yield from _told(one.name, one.targets, criterion)
        case Chain(sources, (target,), inner):
            for one in _links(known, kind):
                if known.places.sources([one]) == sources:
                    for name, value in _pinned_by(known, target, inner):
                        yield f"{one.name}.{name}", value


def _links(known: Known, kind: str) -> list[Parameter]:
    of = known.parameters.of(kind)
    return [one for one in of.values() if one.type == "reference"]


def _told(
    name: str, targets: Collection[str], match: Match
) -> Iterator[tuple[str, str]]:
    if match.modifier or len(match.operands) != 1:
        return
    operand = match.operands[0]
    if not isinstance(operand, Target):
        return
    kinds = [operand.type] if operand.type else _only(match.sources) or targets
    if len(kinds) == 1:
        yield name, f"{next(iter(kinds))}/{operand.id}"


def _only(sources: Sources) -> set[str]:
    """Tell the types that all references at some sources lead to; none: any."""
    limits = [one.only[1] if one.only else () for one in sources]
    if not all(limits):
        return set()
    return {kind for limit in limits for kind in limit if kind in RESOURCE_TYPES}
