"""Treatment areas: which conditions a telemedicine solution is for.

A ValueSet whose useContext has the code ``system-treatment-area`` and a system tag as its
value holds the conditions of that solution:
http://ehealth.sundhed.dk/cs/ehealth-usage-context-type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fyr.plugins.clinical.tags import SYSTEM

if TYPE_CHECKING:
    from fyr.core import Acting, Resource

_AREA = "system-treatment-area"
#: ValueSets within ValueSets.
_DEEPEST = 8

Coding = tuple[str, str]


class Areas:
    """The treatment areas of some tags, each ValueSet read once."""

    def __init__(self, acting: Acting, tags: Iterable[str]) -> None:
        """Find the ValueSets of the tags."""
        self._acting = acting
        self._read: dict[str, Resource | None] = {}
        self.tags = sorted(tags)
        self._sets = [one for tag in self.tags for one in self._of(tag)]

    def outside(self, conditions: Iterable[Mapping[str, Any]]) -> list[str]:
        """Tell the codes of conditions that no area has; one coding of each is enough."""
        found = []
        for condition in conditions:
            codings = [
                (str(one.get("system", "")), str(one.get("code", "")))
                for one in condition.get("code", {}).get("coding", ())
            ]
            if not any(
                self._has(one, coding) for one in self._sets for coding in codings
            ):
                found.append(" or ".join(code for _, code in codings) or "no code")
        return found

    def _of(self, tag: str) -> Iterator[Resource]:
        for one in self._acting.find("ValueSet", ("context-type", _AREA)):
            if one.get("status") == "active" and tag in _tags(one):
                yield one

    def _has(self, values: Resource | None, coding: Coding, depth: int = 1) -> bool:
        """Whether a ValueSet has a code, as far as it lists its codes or whole systems."""
        if values is None or depth > _DEEPEST:
            return False
        if "expansion" in values:
            return coding in set(_expanded(values["expansion"].get("contains", ())))
        compose = values.get("compose", {})
        return any(
            self._includes(one, coding, depth) for one in compose.get("include", ())
        ) and not any(
            self._includes(one, coding, depth) for one in compose.get("exclude", ())
        )

    def _includes(self, part: Mapping[str, Any], coding: Coding, depth: int) -> bool:
        """Whether a part has a code; what is told by a filter is in none."""
        named = [self._named(one) for one in part.get("valueSet", ())]
        if any(not self._has(one, coding, depth + 1) for one in named):
            return False
        system = part.get("system")
        if system is None:
            return bool(named)
        if system != coding[0] or "filter" in part:
            return False
        listed = {one.get("code") for one in part.get("concept", ())}
        return coding[1] in listed if "concept" in part else True

    def _named(self, canonical: str) -> Resource | None:
        url = canonical.partition("|")[0]
        if url not in self._read:
            found = self._acting.find("ValueSet", ("url", url))
            active = [one for one in found if one.get("status") == "active"]
            self._read[url] = next(iter(active or found), None)
        return self._read[url]


def _tags(values: Mapping[str, Any]) -> set[str]:
    """Tell the system tags that a ValueSet is the treatment area of."""
    return {
        str(coding.get("code"))
        for context in values.get("useContext", ())
        if context.get("code", {}).get("code") == _AREA
        for coding in context.get("valueCodeableConcept", {}).get("coding", ())
        if coding.get("system") == SYSTEM
    }


def _expanded(contains: Iterable[Mapping[str, Any]]) -> Iterator[Coding]:
    for one in contains:
        yield str(one.get("system", "")), str(one.get("code", ""))
        yield from _expanded(one.get("contains", ()))
