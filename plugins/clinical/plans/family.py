"""What is cloned together with a definition: those it leads to, and their ways to it.

A plan leads to plans and activities, these to questionnaires, all of them to documents.
Libraries and predecessors are not a part of what refers to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from fyr.core import Refused, broken_rule
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.plans.tree import KINDS, MOST_ACTIONS, Definitions, places

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

    def above(self, member: str) -> list[str]:
        """Tell who leads to a member."""
        return [one for one, led in self.below.items() if member in led]

    def by_default(self) -> list[str]:
        """Tell who is cloned unless it is said: the root, its plans and activities."""
        kinds = tuple(f"{kind}/" for kind in KINDS)
        return [m for m in self.members if m == self.root or m.startswith(kinds)]

    def listed(self, references: Sequence[str]) -> list[str]:
        """Tell who is cloned where it is said: the root and those that are listed.

        :raises fyr.core.errors.FyrError: one is no part of it, or all that lead to it
            stay as they are; all of them at once.
        """
        foreign = [one for one in references if one not in self.members]
        if foreign:
            raise CODES["VERSIONING_REFERENCE_NOT_RELEVANT_FOR_RESOURCE"].error(
                self.root, ", ".join(foreign)
            )
        chosen = {self.root, *references}
        problems: dict[str, list[str]] = {}
        for one in references:
            above = self.above(one)
            if one != self.root and chosen.isdisjoint(above):
                problems.setdefault(above[0], []).append(one)
        if problems:
            code = CODES["VERSIONING_REFERENCE_MISSING_IN_TREE_PATH"]
            raise Refused(
                [code.issue(one, ", ".join(two)) for one, two in problems.items()]
            )
        return [one for one in self.members if one in chosen]


def family_of(definitions: Definitions, root: Resource) -> Family:
    """Read a definition and all below it, each once."""
    family = Family(name_of(root))
    _join(definitions, family, root)
    return family


def name_of(resource: Mapping[str, Any]) -> str:
    """Tell type and id."""
    return f"{resource['resourceType']}/{resource['id']}"


def leads(resource: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Go through what a definition leads to: where it stands, and under which key."""
    for artifact in resource.get("relatedArtifact", ()):
        if artifact.get("type") in _PARTS and "resource" in artifact:
            yield artifact, "resource"
    for _, action in places(resource):
        if "definitionCanonical" in action:
            yield cast("dict[str, Any]", action), "definitionCanonical"
        for artifact in action.get("documentation", ()):
            if artifact.get("type") in _PARTS and "resource" in artifact:
                yield artifact, "resource"


def _join(definitions: Definitions, family: Family, resource: Resource) -> None:
    name = name_of(resource)
    if name in family.members:
        return
    if len(family.members) >= MOST_ACTIONS:
        text = f"more than {MOST_ACTIONS} definitions cannot be cloned at once"
        raise Refused([broken_rule(text, "Parameters")])
    family.members[name] = resource
    led = family.below.setdefault(name, [])
    for holder, key in leads(resource):
        found = definitions.find(str(holder[key]), *CLONED)
        if found is not None:
            led.append(name_of(found))
            _join(definitions, family, found)
