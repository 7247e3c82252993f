"""Many resources at once: grouped into transactions, and one by one where a group fails.

Each goes through the same interactions and hooks as a request would: ``fyr load``, demo
data and imports use it. A resource with an id is stored under it (update), one without
gets one (create): https://hl7.org/fhir/R4/http.html#upsert.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from fyr.core.context import SYSTEM, RequestContext
from fyr.core.errors import FyrError, Issue
from fyr.core.interactions.answer import Incoming

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.model.resource import Resource

#: Resources of one transaction.
GROUP = 200


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was not stored: where it stood, what it is, and every reason."""

    place: str
    what: str
    issues: tuple[Issue, ...]


@dataclass
class Import:
    """Stores what it is given; call ``finish`` at the end.

    :param refused: called for each resource that is not stored, before the next one.
    """

    application: Application
    refused: Callable[[Refusal], None]
    stored: int = 0
    failed: int = 0
    _group: list[tuple[str, Resource]] = field(default_factory=list)
    _keys: set[tuple[str, str]] = field(default_factory=set)

    def add(self, place: str, resource: Resource) -> None:
        """Take a resource; it is stored with its group."""
        key = (resource["resourceType"], str(resource.get("id", "")))
        if len(self._group) >= GROUP or (key[1] and key in self._keys):
            self.finish()
        self._group.append((place, resource))
        self._keys.add(key)

    def carry_out(self, place: str, bundle: Resource) -> None:
        """Do what a batch or transaction Bundle asks for."""
        self.finish()
        entries = len(bundle.get("entry", []))
        try:
            answer = self._bundle(bundle)
        except FyrError as error:
            self._refuse(place, f"Bundle of {entries}", error.issues)
            return
        self.stored += entries - self._count_refused(place, answer)

    def reject(self, place: str, what: str, issues: Iterable[Issue]) -> None:
        """Note a resource that could not even be read."""
        self._refuse(place, what, tuple(issues))

    def finish(self) -> None:
        """Store what stands in the last group."""
        group, self._group, self._keys = self._group, [], set()
        if not group:
            return
        try:
            self._bundle(_transaction([resource for _, resource in group]))
        except FyrError as error:
            if len(group) == 1:
                place, resource = group[0]
                self._refuse(place, _name(resource), _as_alone(resource, error.issues))
            else:
                middle = len(group) // 2
                for half in (group[:middle], group[middle:]):
                    self._group = half
                    self.finish()
        else:
            self.stored += len(group)

    def _bundle(self, bundle: Resource) -> dict[str, Any]:
        application = self.application
        context = RequestContext(
            service=application.services.everything,
            interaction=bundle["type"],
            principal=SYSTEM,
            now=application.clock(),
        )
        return application.interactions.bundle(context, Incoming(bundle)).resource()

    def _count_refused(self, place: str, answer: dict[str, Any]) -> int:
        refused = 0
        for number, entry in enumerate(answer.get("entry", [])):
            response = entry["response"]
            if response["status"] >= "4":
                refused += 1
                outcome = response.get("outcome", {}).get("issue", [])
                issues = tuple(
                    Issue(issue["code"], issue.get("diagnostics", ""))
                    for issue in outcome
                )
                self._refuse(f"{place} entry {number}", response["status"], issues)
        return refused

    def _refuse(self, place: str, what: str, issues: tuple[Issue, ...]) -> None:
        self.failed += 1
        self.refused(Refusal(place, what, issues))


def _transaction(resources: list[Resource]) -> Resource:
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": one, "request": _request(one)} for one in resources],
    }


def _request(resource: Resource) -> dict[str, str]:
    if "id" in resource:
        return {"method": "PUT", "url": _name(resource)}
    return {"method": "POST", "url": resource["resourceType"]}


def _name(resource: Resource) -> str:
    identity = resource.get("id")
    kind = str(resource["resourceType"])
    return f"{kind}/{identity}" if identity else kind


def _as_alone(resource: Resource, issues: tuple[Issue, ...]) -> tuple[Issue, ...]:
    """Tell issues of the only entry of a transaction as those of its resource."""
    entry, kind = "Bundle.entry[0].resource.", f"{resource['resourceType']}."
    return tuple(
        replace(
            issue,
            expression=tuple(path.replace(entry, kind, 1) for path in issue.expression),
        )
        for issue in issues
    )
