"""Criteria that one resource can be held against, by what is in it and nothing else.

Criteria that ask about other resources (chains, ``_has``, ``_list``, ``:below`` and
``:above`` of references) would need the store, and would be met or not by changes of
others: they are refused. So are words (``_text``, ``_content``), whose index follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, get_args

from fyr.core.errors import Issue, NotSupported
from fyr.core.searching import Candidate
from fyr.core.store.port import IndexRows, Stored
from fyr.search.finding.comparing import Sql, conjoined
from fyr.search.finding.conditions import Conditions
from fyr.search.matching.memory import Memory
from fyr.search.tree import (
    Chain,
    Criterion,
    FullText,
    Has,
    Match,
    Query,
    Relatives,
    Target,
    Token,
    Uri,
)
from fyr.search.understanding.results import shaping

#: What cannot be told of a resource alone, and in which words.
_BEYOND: Mapping[type[Any], str] = {
    Chain: "is asked of other resources",
    Has: "is asked of other resources",
    Relatives: "is asked of other resources",
    FullText: "is asked of words, whose index follows a write",
}
#: A table, the number of a place, and a text that stands there.
Fact = tuple[str, int, object]
#: Tables whose rows have a text behind the number that is compared as it is.
_FACTS = ("idx_token", "idx_reference", "idx_uri")
_NODES = (*get_args(Criterion), Relatives)
_CONDITIONS = Conditions("sqlite")


@dataclass(frozen=True, slots=True)
class Matcher:
    """Criteria on resources of some types."""

    types: tuple[str, ...]
    condition: Sql
    #: of each of these a resource has one at least, or it does not meet the condition:
    #: most subscriptions want another patient, and are done with here
    needs: tuple[frozenset[Fact], ...] = ()

    def meets(self, candidate: Candidate) -> bool:
        """Tell whether a resource meets them."""
        assert isinstance(candidate, Held), "a candidate of another engine"
        if candidate.kind not in self.types:
            return False
        if any(candidate.facts.isdisjoint(needed) for needed in self.needs):
            return False
        return candidate.meets(self.condition)


class Held:
    """A resource that criteria are held against."""

    def __init__(self, memory: Memory, stored: Stored, rows: IndexRows) -> None:
        """Take the version and its values; put into memory when it is asked about."""
        self._memory = memory
        self._stored = stored
        self._rows = rows
        self.kind = stored.type
        self._known: dict[Sql, bool] = {}

    @cached_property
    def facts(self) -> frozenset[Fact]:
        """Tell the codes, references and URIs that it is found by."""
        return frozenset(
            (table, row[0], row[1])
            for table in _FACTS
            for row in self._rows.get(table, ())
        )

    @cached_property
    def _pid(self) -> int:
        one = self._stored
        return self._memory.hold(one.type, one.id, one.version, one.updated, self._rows)

    def close(self) -> None:
        """Forget it."""
        if "_pid" in self.__dict__:
            self._memory.let_go(self._pid)

    def meets(self, condition: Sql) -> bool:
        """Tell whether it meets a condition; asked once for each."""
        if not condition.text:
            return True
        found = self._known.get(condition)
        if found is None:
            found = self._known[condition] = self._memory.meets(self._pid, condition)
        return found


def matcher_of(query: Query, params: Sequence[tuple[str, str]]) -> Matcher:
    """Make a matcher of a query.

    :param params: what was sent, for what is told of what is refused.
    :raises NotSupported: some cannot be told of a resource alone; all of them named.
    """
    problems = [
        f"{name[:60]} is about the answer of a search" for name in shaping(params)
    ]
    found = [node for one in query.criteria for node in _nodes(one)]
    reasons = dict.fromkeys(_BEYOND[type(one)] for one in found if type(one) in _BEYOND)
    asked = ", ".join(dict.fromkeys(name for name, _ in params))
    problems += [f"a part of {asked[:200]} {reason}" for reason in reasons]
    if problems:
        raise NotSupported([Issue("not-supported", one) for one in problems])
    return Matcher(
        query.types,
        conjoined(_CONDITIONS.met(one, "r") for one in query.criteria),
        tuple(_needs(query.criteria)),
    )


def _needs(criteria: Iterable[Criterion]) -> Iterator[frozenset[Fact]]:
    """Tell what a resource has that meets all of some criteria, where that is plain."""
    for one in criteria:
        match one:
            case Match(sources, operands, modifier="", negated=False):
                values = [_value(operand) for operand in operands]
                if None not in values and sources and sources[0].table in _FACTS:
                    yield frozenset(
                        (source.table, source.number, value)
                        for source in sources
                        for value in values
                    )


def _value(operand: object) -> str | None:
    """Tell the text that a row has which meets an operand; ``None``: there are others."""
    match operand:
        case Token(_, code):
            return code
        case Target(_, id):
            return id
        case Uri(value):
            return value
        case _:
            return None


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for field in fields(node):
        value = getattr(node, field.name)
        listed: Sequence[Any] = value if isinstance(value, tuple | list) else (value,)
        for below in listed:
            if isinstance(below, _NODES):
                yield from _nodes(below)
