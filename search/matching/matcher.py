"""Criteria that one resource can be held against, by what is in it and nothing else.

Criteria that ask about other resources (chains, ``_has``, ``_list``, ``:below`` and
``:above`` of references) would need the store, and would be met or not by changes of
others: they are refused. So are words (``_text``, ``_content``), whose index follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, get_args

from fyr.core.errors import Issue, NotSupported
from fyr.core.searching import Candidate
from fyr.search.finding.comparing import Sql, conjoined
from fyr.search.finding.conditions import Conditions
from fyr.search.matching.memory import Memory
from fyr.search.tree import Chain, Criterion, FullText, Has, Query, Relatives
from fyr.search.understanding.results import shaping

#: What cannot be told of a resource alone, and in which words.
_BEYOND: Mapping[type[Any], str] = {
    Chain: "is asked of other resources",
    Has: "is asked of other resources",
    Relatives: "is asked of other resources",
    FullText: "is asked of words, whose index follows a write",
}
_NODES = (*get_args(Criterion), Relatives)
_CONDITIONS = Conditions("sqlite")


@dataclass(frozen=True, slots=True)
class Matcher:
    """Criteria on resources of some types."""

    types: tuple[str, ...]
    condition: Sql

    def meets(self, candidate: Candidate) -> bool:
        """Tell whether a resource meets them."""
        assert isinstance(candidate, Held), "a candidate of another engine"
        return candidate.kind in self.types and candidate.meets(self.condition)


class Held:
    """A resource that criteria are held against."""

    def __init__(self, memory: Memory, kind: str, pid: int) -> None:
        """Take where it is held, and under which number."""
        self._memory = memory
        self._pid = pid
        self.kind = kind
        self._known: dict[Sql, bool] = {}

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
        query.types, conjoined(_CONDITIONS.met(one, "r") for one in query.criteria)
    )


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for field in fields(node):
        value = getattr(node, field.name)
        listed: Sequence[Any] = value if isinstance(value, tuple | list) else (value,)
        for below in listed:
            if isinstance(below, _NODES):
                yield from _nodes(below)
