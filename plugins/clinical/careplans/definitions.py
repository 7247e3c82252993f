"""What a plan leads to: its activities and sub-plans, read once, in the order of actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fyr.core import Refused
from fyr.plugins.clinical.codes import CODES

if TYPE_CHECKING:
    from fyr.core import Acting, FyrError, Resource

#: Plans within plans; a definition that goes deeper leads in circles or is a mistake.
_DEEPEST = 10


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
    activities: list[Activity] = field(default_factory=list)
    below: list[Tree] = field(default_factory=list)


class Definitions:
    """Reads definitions, each once, and notes what is missing."""

    def __init__(self, acting: Acting, own: Callable[[str], str]) -> None:
        """Take what reads.

        :param own: makes a URL of this server relative.
        """
        self._acting = acting
        self._own = own
        self._read: dict[str, Resource | None] = {}
        self.problems: list[FyrError] = []

    def tree(self, reference: str) -> Tree:
        """Read a plan and all that it leads to.

        :raises fyr.core.errors.FyrError: it is not there or not active, or leads to what
            is not there; all problems at once.
        """
        kind, _, identity = reference.partition("/")
        plan = self._find(reference) if kind == "PlanDefinition" else None
        if plan is None:
            raise CODES["CAREPLAN_APPLY_NO_PLANDEFINITION"].error(identity or reference)
        if plan.get("status") != "active":
            raise CODES["CAREPLAN_APPLY_NOT_ACTIVE_PLANDEFINITION"].error()
        found = self._tree(plan, "", 1)
        if self.problems:
            raise together(self.problems)
        return found

    def _tree(self, plan: Resource, canonical: str, depth: int) -> Tree:
        tree = Tree(plan, canonical)
        if depth > _DEEPEST:
            text = f"plans are nested deeper than {_DEEPEST}"
            self.problems.append(Refused(text))
            return tree
        for action in actions(plan):
            led = str(action.get("definitionCanonical", ""))
            if not led:
                continue
            kind = _kind(led)
            found = self._find(self._own(led.partition("|")[0]))
            if found is None and kind == "PlanDefinition":
                code = CODES["CAREPLAN_APPLY_NO_PLANDEFINITION"]
                self.problems.append(code.error(led))
            elif found is None:
                code = CODES["CAREPLAN_APPLY_CAN_NOT_FIND_ACTIVITY_DEFINITION"]
                self.problems.append(code.error(led))
            elif found["resourceType"] == "PlanDefinition":
                tree.below.append(self._below(found, led, depth))
            else:
                tree.activities.append(Activity(action, led, found))
        return tree

    def _below(self, plan: Resource, canonical: str, depth: int) -> Tree:
        """Read a sub-plan; whoever has one that is retired by now keeps it."""
        if plan.get("status") not in ("active", "retired"):
            code = CODES["CAREPLAN_APPLY_NOT_ACTIVE_PLANDEFINITION"]
            self.problems.append(code.error())
        return self._tree(plan, canonical, depth + 1)

    def _find(self, url: str) -> Resource | None:
        if url not in self._read:
            self._read[url] = self._found(url)
        return self._read[url]

    def _found(self, url: str) -> Resource | None:
        kind = _kind(url)
        if "://" not in url and not url.startswith("urn:"):
            return self._acting.read(url) if kind else None
        for one in (kind,) if kind else ("ActivityDefinition", "PlanDefinition"):
            found = self._acting.find(one, ("url", url))
            if found:
                return found[0]
        return None


def actions(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Go through the actions of a plan, those in groups too."""
    for action in plan.get("action", ()):
        yield action
        yield from actions(action)


def together(problems: list[FyrError]) -> FyrError:
    """Make one error of several; the first decides its kind."""
    issues = [issue for one in problems for issue in one.issues]
    return type(problems[0])(issues, headers=problems[0].headers)


def _kind(url: str) -> str:
    """Tell which of the two types a URL names, if it is that of a resource."""
    parts = url.partition("|")[0].partition("/_history/")[0].split("/")
    kind = parts[-2] if len(parts) > 1 else ""
    return kind if kind in ("PlanDefinition", "ActivityDefinition") else ""
