"""What is around the submissions of a batch: read together, and each thing once.

Plans, orders and rules are the same for many measurements that come at a time. What is
remembered is as old as the batch; what is written afterwards reads for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from fyr.core import Acting, Resource
from fyr.plugins.clinical.extensions import EPISODE_OF_CARE, reference_of
from fyr.plugins.clinical.references import reference_to, unversioned
from fyr.plugins.clinical.tasks.submission import targets_of
from fyr.plugins.clinical.tasks.terms import references_in

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions

_LOCAL = re.compile(r"[A-Za-z]+/[A-Za-z0-9.-]{1,64}", re.ASCII)
#: Values of one search.
_AT_ONCE = 50


class Remembering(Acting):
    """Reads and finds, and does so once; what it gives is not to be altered."""

    def __init__(self, interactions: Interactions) -> None:
        """Take what reads; nothing is stored by it."""
        super().__init__(interactions)
        self._known: dict[str, Resource | None] = {}
        self._found: dict[tuple[str, tuple[tuple[str, str], ...]], list[Resource]] = {}

    def read(self, reference: str) -> Resource | None:
        """Read what a resource says, or said a moment ago."""
        name = unversioned(reference)
        if name not in self._known:
            self._known[name] = super().read(name)
        return self._known[name]

    def read_each(self, references: Iterable[str]) -> dict[str, Resource | None]:
        """Read what some resources say, or said a moment ago."""
        names = {one: unversioned(one) for one in references}
        wanted = {name for name in names.values() if name not in self._known}
        self._known |= super().read_each(sorted(wanted))
        return {one: self._known[name] for one, name in names.items()}

    def find(self, resource_type: str, *criteria: tuple[str, str]) -> list[Resource]:
        """Find what criteria are met by, or were a moment ago."""
        asked = (resource_type, criteria)
        if asked not in self._found:
            self._found[asked] = super().find(resource_type, *criteria)
        return list(self._found[asked])

    def look_ahead(self, provenances: Iterable[Resource]) -> None:
        """Fetch what is around some submissions, all of a kind at once."""
        targets = [name for one in provenances for name in targets_of(one)]
        self._fetch(targets)
        measured = [found for name in targets if (found := self._known.get(name))]
        orders = [
            unversioned(name)
            for one in measured
            for name in references_in(one.get("basedOn", ()))[:1]
        ]
        episodes = [reference_of(one, EPISODE_OF_CARE) or "" for one in measured]
        self._fetch([*orders, *map(unversioned, episodes)])
        self._fetch_found("CarePlan", "activity-reference", orders, _asked_by)
        patients = [references_in([one.get("subject")]) for one in measured]
        self._fetch_found(
            "Goal", "patient", [name for names in patients for name in names], _aimed_at
        )

    def _fetch(self, names: Iterable[str]) -> None:
        self.read_each(one for one in names if _LOCAL.fullmatch(one))

    def _fetch_found(
        self,
        kind: str,
        parameter: str,
        names: Iterable[str],
        leads: Callable[[Resource], Iterator[str]],
    ) -> None:
        """Find what refers to any of some resources, and remember it as asked for each."""
        wanted = sorted({one for one in names if _LOCAL.fullmatch(one)})
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            each: dict[str, list[Resource]] = {name: [] for name in part}
            for found in super().find(kind, (parameter, ",".join(part))):
                self._known[reference_to(found)] = found
                for name in dict.fromkeys(leads(found)):
                    if name in each:
                        each[name].append(found)
            for name, all_ in each.items():
                self._found[kind, ((parameter, name),)] = all_


def _asked_by(plan: Resource) -> Iterator[str]:
    held = [one.get("reference") for one in plan.get("activity", ())]
    return map(unversioned, references_in(held))


def _aimed_at(goal: Resource) -> Iterator[str]:
    return map(unversioned, references_in([goal.get("subject")]))
