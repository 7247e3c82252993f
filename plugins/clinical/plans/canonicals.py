"""Guard of canonical references: each leads to a type that its profile names.

http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-careplan and its sisters. The type
is told by URLs that end as those of resources do; of others nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from fyr.core import refuses
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.plans.rules import unless_loaded
from fyr.plugins.clinical.plans.tree import places

if TYPE_CHECKING:
    from fyr.core import Issue, Transition

#: Type -> element -> the types that its references lead to.
TARGETS: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "CarePlan": {"instantiatesCanonical": frozenset({"PlanDefinition"})},
    "ServiceRequest": {"instantiatesCanonical": frozenset({"ActivityDefinition"})},
    "PlanDefinition": {
        "library": frozenset({"Library"}),
        "definitionCanonical": frozenset({"ActivityDefinition", "PlanDefinition"}),
    },
    "ActivityDefinition": {"library": frozenset({"Library"})},
}


@unless_loaded
@refuses("GENERAL_CANONICAL_TARGET_NOT_ALLOWED_ERROR")
def leads_where_it_may(transition: Transition) -> Iterator[Issue]:
    """Its canonical references lead to the types that its profile names."""
    new, old = transition.resource, transition.old or {}
    allowed = TARGETS[new["resourceType"]]
    before = {url for _, _, url in _references(old, allowed)}
    for name, place, url in _references(new, allowed):
        kind = type_in(url)
        if kind and kind not in allowed[name] and url not in before:
            code = CODES["GENERAL_CANONICAL_TARGET_NOT_ALLOWED_ERROR"]
            yield code.issue(kind, expression=(place,))


def type_in(url: str) -> str:
    """Tell the type that a URL ends with, before an id; empty: it does not."""
    path = url.partition("|")[0].partition("/_history/")[0].split("/")
    kind = path[-2] if len(path) > 1 else ""
    return kind if kind in RESOURCE_TYPES else ""


def _references(
    resource: Mapping[str, Any], allowed: Mapping[str, frozenset[str]]
) -> Iterator[tuple[str, str, str]]:
    """Go through the references of some elements: name, FHIRPath, URL."""
    kind = str(resource.get("resourceType", ""))
    around = [(kind, resource), *places(resource)]
    for place, holder in around:
        for name in allowed:
            value = holder.get(name, ())
            if isinstance(value, str):
                yield name, f"{place}.{name}", value
                continue
            for number, url in enumerate(value):
                yield name, f"{place}.{name}[{number}]", str(url)
