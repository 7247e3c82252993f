"""From what was measured to its plan: activity, care plan, definitions, care teams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fyr.core import Resource
from fyr.plugins.clinical.extensions import PARTICIPANT, extensions, value_of
from fyr.plugins.clinical.references import reference_to, unversioned
from fyr.plugins.clinical.tasks.terms import references_in

if TYPE_CHECKING:
    from fyr.core import Acting

#: Function of the participants that tasks and messages go to, where there are such.
_NARROWED = "Default-careteam-for-task-and-communication"


def care_plans_of(acting: Acting, activity: str) -> list[str]:
    """Tell the care plans that have an activity, those that are active first.

    :param activity: a version in it does not count.
    """
    found = [
        one
        for one in acting.find(
            "CarePlan", ("activity-reference", unversioned(activity))
        )
        if one.get("status") != "entered-in-error"
    ]
    found.sort(key=lambda one: one.get("status") != "active")
    return [reference_to(one) for one in found]


def care_plan_of(acting: Acting, activity: str) -> Resource | None:
    """Read the care plan that has an activity; ``None``: there is none."""
    found = care_plans_of(acting, activity)
    return acting.read(found[0]) if found else None


def definition_of(
    acting: Acting, resource: Resource | None, kind: str
) -> Resource | None:
    """Read the definition that a care plan or an activity instantiates.

    References of the services are URLs that end in type and id; else the canonical URL
    is looked for.
    """
    for canonical in (resource or {}).get("instantiatesCanonical", ()):
        url = canonical.partition("|")[0]
        found = by_canonical(acting, url, kind)
        if found is not None:
            return found
    return None


def by_canonical(acting: Acting, url: str, kind: str) -> Resource | None:
    """Read a resource by its canonical URL, or by the URL that it is kept at."""
    base, _, identity = url.partition("|")[0].rpartition("/")
    if base == kind or base.endswith(f"/{kind}"):
        found = acting.read(f"{kind}/{identity}")
        if found is not None:
            return found
    return next(iter(acting.find(kind, ("url", url.partition("|")[0]))), None)


def care_teams(plan: Resource | None) -> list[str]:
    """Tell the care teams that tasks and messages of a plan go to.

    Those that take part for just that, where the plan has such; else all of the plan.
    """
    if plan is None:
        return []
    own = references_in(plan.get("careTeam", ()))
    narrowed = [
        actor
        for function, actor in _participants(plan)
        if function == _NARROWED and actor and "CareTeam/" in actor
    ]
    # Somebody who has left the plan gets nothing more, whatever function was theirs.
    return list(dict.fromkeys(one for one in narrowed if one in own)) or own


def _participants(plan: Resource) -> Iterator[tuple[str | None, str | None]]:
    for one in extensions(plan, PARTICIPANT):
        function, actor = value_of(one, "function"), value_of(one, "actor")
        yield (
            _member(function, "code"),
            _member(actor, "reference"),
        )


def _member(found: Any, name: str) -> str | None:
    return found.get(name) if isinstance(found, Mapping) else None
