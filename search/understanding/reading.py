"""A query as it was understood, for people to read, with its values or without.

Written from the tree's own fields, so that a new kind of criterion is told as it is.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_args

from fyr.core.clock import instant
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.search.extraction.places import Places
from fyr.search.hashes import hash64
from fyr.search.tree import Chain, Criterion, FullText, Has, Moment, Query, Source

#: Fields that say how is searched, never for what; all others hold values.
_SHAPE = frozenset(
    "descending missing modifier name negated reverse type types".split()
)
#: Fields that follow from others.
_IMPLIED = frozenset({"brought"})
#: Values of one criterion that are written down.
_MOST_TOLD = 50
_CRITERIA = get_args(Criterion)


class Reading:
    """Writes one query down."""

    def __init__(self, places: Places, query: Query, *, values: bool) -> None:
        """Take the query.

        :param values: ``False`` where nobody may learn what was searched for: only
            the shape is written.
        """
        self._query = query
        self._values = values
        self._names = _names(places, query)
        self._systems = _systems(query) if values else {}

    def lines(self) -> list[str]:
        """Write the tree, a line for each criterion, those inside one further in."""
        query = self._query
        told = [f"{_some(query.types)}, {query.count} a page"]
        for criterion in query.criteria:
            told += self._criterion(criterion, 1)
        if query.contained:
            told.append(f"  contained resources: {query.contained}")
        for key in query.sort:
            told.append(f"  sorted by {key.name}{' descending' * key.descending}")
        for include in query.includes:
            told.append(f"  {self._one(include)}")
        if query.total:
            told.append(f"  total {query.total}")
        return told

    def _criterion(self, criterion: Any, depth: int) -> Iterator[str]:
        yield "  " * depth + self._one(criterion)
        for field in fields(criterion):
            if field.name == "inside":  # the same, of what is contained
                continue
            for below in _listed(getattr(criterion, field.name)):
                if isinstance(below, _CRITERIA):
                    yield from self._criterion(below, depth + 1)

    def _one(self, node: Any) -> str:
        parts = [type(node).__name__]
        for field in fields(node):
            if field.name in _IMPLIED:
                continue
            value = getattr(node, field.name)
            listed = _listed(value)
            if listed and isinstance(listed[0], Source):
                parts.append(" | ".join(dict.fromkeys(map(self._source, listed))))
            elif value in ("", None, False, ()) or isinstance(listed[0], _CRITERIA):
                continue
            elif field.name in _SHAPE:
                parts.append(f"{field.name}={_shape(value)}")
            elif self._values:
                parts.append(f"{field.name}={self._value(value)}")
            else:
                parts.append(f"{field.name}=…")
        return " ".join(parts)

    def _source(self, source: Source) -> str:
        name = self._names.get(source.number, f"#{source.number}")
        if source.only is None:
            return name
        column, values = source.only
        return f"{name} where {column} is {self._value(values)}"

    def _value(self, value: Any) -> str:
        if isinstance(value, Moment):
            return f"{value.prefix} {_at(value.low)} to {_at(value.high)}"
        if is_dataclass(value):
            inside = [
                f"{field.name}={self._value(getattr(value, field.name))}"
                for field in fields(value)
                if getattr(value, field.name) is not None
            ]
            return f"{type(value).__name__}({', '.join(inside)})"
        if isinstance(value, tuple | list | frozenset):
            more = ["…"] * (len(value) > _MOST_TOLD)
            told = [self._value(one) for one in list(value)[:_MOST_TOLD]]
            return ", ".join(told + more)
        if isinstance(value, int) and value in self._systems:
            return repr(self._systems[value])
        return repr(value)


def _at(millis: int) -> str:
    """Write a moment; one that no calendar has, as its number."""
    try:
        return instant(millis)
    except (OverflowError, ValueError, OSError):
        return str(millis)


def _names(places: Places, query: Query) -> dict[int, str]:
    """Name the numbers of places by the parameters that read them, those sent first."""
    sent = {part for name, _ in query.used for part in re.split("[.:]", name)}
    named: dict[int, str] = {}
    for kind in dict.fromkeys(_types(query)):
        made = places.of(kind)
        known = {(name, ""): found for name, found in made.sources.items()}
        known |= made.beside
        known |= {(name, "canonical"): one for name, one in made.canonical.items()}
        known |= {
            (name, told): found
            for name, parts in made.composites.items()
            for part in parts
            for told, found in (
                ("", part.rows.sources),
                ("canonical", part.rows.canonical),
            )
            if found
        }
        for name, modifier in sorted(known, key=lambda one: (one[0] not in sent, one)):
            told = f"{kind}.{name}:{modifier}".removesuffix(":")
            for source in known[name, modifier]:
                named.setdefault(source.number, told)
    return named


def _types(query: Query) -> Iterator[str]:
    """Go through the types that a query is about."""
    yield from query.types
    nodes = [below for one in query.criteria for below in _nodes(one)]
    for node in [*nodes, *query.includes]:
        for name in ("type", "types"):
            found = _listed(getattr(node, name, ()))
            yield from (one for one in found if one in RESOURCE_TYPES)


def kind_of(query: Query) -> str:
    """Tell the kind of a search, of few: ``all``, ``values``, ``chain`` or ``text``."""
    kinds = set(map(type, query.criteria))
    if FullText in kinds:
        return "text"
    if Chain in kinds or Has in kinds:
        return "chain"
    return "values" if kinds else "all"


def _nodes(criterion: Any) -> Iterator[Any]:
    yield criterion
    for field in fields(criterion):
        for below in _listed(getattr(criterion, field.name)):
            if isinstance(below, _CRITERIA):
                yield from _nodes(below)


def _systems(query: Query) -> dict[int, str]:
    """Tell the systems that were sent by the numbers that stand for them."""
    sent = {part for _, value in query.used for part in re.split(r"[,|$]", value)}
    return {hash64(one): one for one in sent if one}


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, tuple | list) else (value,)


def _shape(value: Any) -> str:
    return _some(value) if isinstance(value, tuple | list) else str(value).lower()


def _some(names: Iterable[str]) -> str:
    """Name a few, and tell how many there are where they are many."""
    listed = list(names)
    return ", ".join(listed) if len(listed) < 6 else f"{len(listed)} types"
