"""What a PlanDefinition leads to: its activities and sub-plans, in the order of actions.

https://hl7.org/fhir/R4/plandefinition.html#definition. Pure, but for what reads: give it
an ``Acting``, and it tells the whole tree and all that is wrong with it::

    definitions = Definitions(call.acting())
    plan = definitions.find("https://plan.example.org/fhir/PlanDefinition/1")
    walked = walk(definitions, plan)
    walked.problems      # missing ones and circles, each with its place
    walked.tree.activities, walked.tree.below

It does not judge states: who applies wants plans that are active, who clones does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from fyr.core import Acting, Resource

#: What an action may lead to, in the order in which a URL is tried that tells no type.
KINDS: Final = ("ActivityDefinition", "PlanDefinition")
#: Actions of all plans of a tree; one with more leads to itself in a roundabout way, or
#: is too large to be applied in one transaction.
MOST_ACTIONS: Final = 1000
_RESOURCE = re.compile(
    r"(?:.*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps a tree from being whole."""

    #: ``missing``: nothing is there. ``circle``: it is one of the plans above.
    #: ``too-many``: there are more than :data:`MOST_ACTIONS`
    what: str
    #: as it stands in the action
    canonical: str
    #: ``ActivityDefinition`` or ``PlanDefinition``; empty if the canonical does not tell
    kind: str
    #: type and id of the plan that says so
    plan: str
    #: FHIRPath in that plan
    place: str


@dataclass(frozen=True, slots=True)
class Activity:
    """One action that leads to an ActivityDefinition."""

    action: Mapping[str, Any]
    #: as it stands in the action
    canonical: str
    definition: Resource


@dataclass(slots=True)
class Tree:
    """A PlanDefinition and what its actions lead to."""

    plan: Resource
    #: as it stands in the action above it; empty for the root
    canonical: str = ""
    #: the action above it; empty for the root
    action: Mapping[str, Any] = field(default_factory=dict)
    activities: list[Activity] = field(default_factory=list)
    below: list[Tree] = field(default_factory=list)

    def plans(self) -> Iterator[Tree]:
        """Go through it and all plans below, those above first."""
        yield self
        for one in self.below:
            yield from one.plans()

    def all_activities(self) -> Iterator[Activity]:
        """Go through the activities of all plans."""
        for one in self.plans():
            yield from one.activities


@dataclass(slots=True)
class Walked:
    """A tree as far as it is there, and all that is wrong with it."""

    tree: Tree
    problems: list[Problem] = field(default_factory=list)
    #: of all plans, so far
    actions: int = 0


class Definitions:
    """Finds definitions by canonical, and reads each once."""

    def __init__(
        self, acting: Acting, together: Mapping[str, Resource | None] | None = None
    ) -> None:
        """Take what reads.

        :param together: what is stored in the same call, by reference; it counts instead
            of what is there.
        """
        self._acting = acting
        self._together = together or {}
        self._found: dict[tuple[str, ...], Resource | None] = {}

    def find(self, canonical: str, *kinds: str) -> Resource | None:
        """Read the definition that a canonical names; ``None``: it is not there.

        A URL of this server, or a relative one, names a resource, with ``/_history/`` a
        version of it; any other is looked for among the ``url`` of definitions. What
        stands behind ``|`` is the ``version`` that it must have.

        :param kinds: types that count; without any those of actions.
        """
        key = (canonical, *kinds)
        if key not in self._found:
            self._found[key] = self._read(canonical, kinds or KINDS)
        return self._found[key]

    def reference(self, canonical: str) -> str | None:
        """Tell the relative reference in a canonical; ``None``: it is no URL of ours."""
        url = canonical.partition("|")[0]
        if "://" in url:
            return self._acting.own(url)
        return url if _RESOURCE.fullmatch(url) else None

    def _read(self, canonical: str, kinds: tuple[str, ...]) -> Resource | None:
        url, _, version = canonical.partition("|")
        reference = self.reference(canonical)
        if reference is None:
            return self._by_url(url, version, kinds)
        if reference.partition("/")[0] not in kinds:
            return None
        found = (
            self._together[reference]
            if reference in self._together
            else self._acting.vread(reference)
        )
        if found is None or (version and found.get("version") != version):
            return None
        return found

    def _by_url(
        self, url: str, version: str, kinds: tuple[str, ...]
    ) -> Resource | None:
        """Find the definition with a URL: of several the active one, then the newest."""
        criteria = [("url", url), *([("version", version)] if version else [])]
        for kind in _named(url, kinds):
            found = self._acting.find(kind, *criteria)
            if found:
                return max(found, key=_rank)
        return None


def walk(definitions: Definitions, plan: Resource, canonical: str = "") -> Walked:
    """Read all that a plan leads to.

    :param canonical: what the plan was found by.
    """
    walked = Walked(Tree(plan, canonical))
    _walk(definitions, walked, walked.tree, (_key(plan),))
    return walked


def actions(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Go through the actions of a plan, those in groups too."""
    return (action for _, action in places(plan))


def places(
    plan: Mapping[str, Any], path: str = "PlanDefinition"
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Go through the actions of a plan with their FHIRPath, those in groups too."""
    for number, action in enumerate(plan.get("action", ())):
        place = f"{path}.action[{number}]"
        yield place, action
        yield from places(action, place)


def _walk(
    definitions: Definitions, walked: Walked, tree: Tree, above: tuple[str, ...]
) -> None:
    for place, action in places(tree.plan):
        canonical = str(action.get("definitionCanonical", ""))
        if not canonical or walked.actions > MOST_ACTIONS:
            continue
        walked.actions += 1
        found = definitions.find(canonical)
        what = _problem(walked, found, above)
        if found is None or what:
            kind = found["resourceType"] if found else kind_of(canonical)
            here = f"{place}.definitionCanonical"
            problem = Problem(what, canonical, kind, above[-1], here)
            walked.problems.append(problem)
        elif found["resourceType"] == "ActivityDefinition":
            tree.activities.append(Activity(action, canonical, found))
        else:
            below = Tree(found, canonical, action)
            tree.below.append(below)
            _walk(definitions, walked, below, (*above, _key(found)))


def _problem(walked: Walked, found: Resource | None, above: tuple[str, ...]) -> str:
    if walked.actions > MOST_ACTIONS:
        return "too-many"
    if found is None:
        return "missing"
    return "circle" if _key(found) in above else ""


def kind_of(canonical: str) -> str:
    """Tell the type that a URL names, if it is that of a resource; else ``""``."""
    found = _RESOURCE.fullmatch(canonical.partition("|")[0])
    return found[1] if found else ""


def _named(url: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Tell the types to look among."""
    kind = kind_of(url)
    return (kind,) if kind in kinds else kinds


def _key(plan: Mapping[str, Any]) -> str:
    return f"{plan['resourceType']}/{plan.get('id', '')}"


def _rank(definition: Mapping[str, Any]) -> tuple[bool, str]:
    moment = definition.get("meta", {}).get("lastUpdated", "")
    return definition.get("status") == "active", str(moment)
