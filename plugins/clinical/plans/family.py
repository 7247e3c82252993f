"""What is cloned together with a definition: those it leads to, and their ways to it.

A plan leads to plans and activities, these to questionnaires, all of them to documents.
Libraries and predecessors are not a part of what refers to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from fyr.core import Refused, broken_rule
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.plans.tree import KINDS, MOST_ACTIONS, Definitions, places
from fyr.plugins.clinical.references import reference_to

if TYPE_CHECKING:
    from fyr.core import Resource

#: What can be cloned with something else.
CLONED: Final = (*KINDS, "Questionnaire", "DocumentReference")
#: Related artifacts that are a part of a definition.
_PARTS: Final = frozenset({"composed-of", "depends-on", "documentation"})


@dataclass(slots=True)
class Family:
    """A definition and all below it, by type and id, those above first."""

    root: str
    members: dict[str, Resource] = field(default_factory=dict)
    #: who leads to whom
    below: dict[str, list[str]] = field(default_factory=dict)
    #: FHIRPath from the root to what leads to a member, first in the root
    ways: dict[str, str] = field(default_factory=dict)

    def above(self, member: str) -> list[str]:
        """Tell who leads to a member."""
        return [one for one, led in self.below.items() if member in led]

    def by_default(self) -> list[str]:
        """Tell who is cloned unless it is said: the root, its plans and activities."""
        kinds = tuple(f"{kind}/" for kind in KINDS)
        return [m for m in self.members if m == self.root or m.startswith(kinds)]

    def listed(self, named: Mapping[str, str]) -> list[str]:
        """Tell who is cloned where it is said: the root and those that are listed.

        :param named: each reference, with the place where the caller has it.
        :raises fyr.core.errors.FyrError: one is no part of it, or all that lead to it
            stay as they are; all of them at once.
        """
        foreign = [one for one in named if one not in self.members]
        if foreign:
            raise CODES["VERSIONING_REFERENCE_NOT_RELEVANT_FOR_RESOURCE"].error(
                self.root,
                ", ".join(foreign),
                expression=[named[one] for one in foreign],
            )
        chosen = {self.root, *named}
        problems: dict[str, list[str]] = {}
        for one in named:
            above = self.above(one)
            if one != self.root and chosen.isdisjoint(above):
                problems.setdefault(above[0], []).append(one)
        if problems:
            code = CODES["VERSIONING_REFERENCE_MISSING_IN_TREE_PATH"]
            raise Refused(
                [
                    code.issue(
                        one, ", ".join(two), expression=[named[each] for each in two]
                    )
                    for one, two in problems.items()
                ]
            )
        return [one for one in self.members if one in chosen]


def family_of(definitions: Definitions, root: Resource) -> Family:
    """Read a definition and all below it, each once."""
    family = Family(reference_to(root))
    _join(definitions, family, root, root["resourceType"])
    return family


def leads(
    resource: Mapping[str, Any], way: str = ""
) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Go through what a definition leads to: where it stands, under which key, the way.

    :param way: FHIRPath to the definition.
    """
    yield from _artifacts(resource, "relatedArtifact", way)
    for place, action in places(resource, way):
        if "definitionCanonical" in action:
            led = f"{place}.definitionCanonical"
            yield cast("dict[str, Any]", action), "definitionCanonical", led
        yield from _artifacts(action, "documentation", place)


def _artifacts(
    element: Mapping[str, Any], name: str, way: str
) -> Iterator[tuple[dict[str, Any], str, str]]:
    for number, artifact in enumerate(element.get(name, ())):
        if artifact.get("type") in _PARTS and "resource" in artifact:
            yield artifact, "resource", f"{way}.{name}[{number}].resource"


def _join(
    definitions: Definitions, family: Family, resource: Resource, way: str
) -> None:
    name = reference_to(resource)
    if name in family.members:
        return
    if len(family.members) >= MOST_ACTIONS:
        text = f"more than {MOST_ACTIONS} definitions cannot be cloned at once"
        raise Refused([broken_rule(text, "Parameters")])
    family.members[name] = resource
    led = family.below.setdefault(name, [])
    for holder, key, place in leads(resource, way):
        found = definitions.find(str(holder[key]), *CLONED)
        if found is not None:
            below = reference_to(found)
            led.append(below)
            family.ways.setdefault(below, place)
            _join(definitions, family, found, f"{place}.resolve()")
