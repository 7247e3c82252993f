"""Guard of use contexts: their codes are of the value set that goes with their kind.

http://ehealth.sundhed.dk/vs/ehealth-usage-context-type tells which goes with which. A value
set that is not here, or cannot be listed, stands in nobody's way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from fyr.core import refuses
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.extensions import USE_CONTEXT, extensions
from fyr.plugins.clinical.plans.rules import unless_loaded

if TYPE_CHECKING:
    from fyr.core import Issue, Transition
    from fyr.core.searching import ValueSet

_SETS: Final = "http://ehealth.sundhed.dk/vs/"
KINDS: Final = _SETS + "ehealth-usage-context-type"
#: Code of a kind -> the value set of what is said of it.
VALUES: Final[Mapping[str, str]] = {
    "focus": _SETS + "conditions",
    "program": _SETS + "ehealth-program",
    "activity": _SETS + "activitydefinition-code",
    "supports": _SETS + "activitydefinition-code",
    "range": _SETS + "reference-range-type",
    "questionnaire-related": _SETS + "questionnaire-elements",
    "system-treatment-area": _SETS + "ehealth-system",
}


@unless_loaded
@refuses("USE_CONTEXT_VALIDATION_FAILED")
def is_used_where_it_may(transition: Transition) -> Iterator[Issue]:
    """Its use contexts have codes of their value sets, as far as those are known here."""
    new = transition.resource
    contexts = list(_contexts(new))
    if not contexts or contexts == list(_contexts(transition.old or {})):
        return
    told = [(place, *one) for place, context in contexts for one in _codes(context)]
    names = {name for _, name, _ in told}
    known = transition.acting.value_sets(sorted(names), new)
    for place, name, codings in told:
        found = known.get(name)
        if found is not None and all(_is_none(found, one) for one in codings):
            codes = ", ".join(str(one.get("code", "")) for one in codings)
            code = CODES["USE_CONTEXT_VALIDATION_FAILED"]
            yield code.issue(
                transition.reference, codes[:200], name, expression=(place,)
            )


def _contexts(resource: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Go through use contexts, in the element or the extension, with their FHIRPath."""
    kind = resource.get("resourceType")
    for number, one in enumerate(resource.get("useContext", ())):
        yield f"{kind}.useContext[{number}]", one
    for one in extensions(resource, USE_CONTEXT):
        place = f"{kind}.extension('{USE_CONTEXT}')"
        yield place, one.get("valueUsageContext", {})


def _codes(
    context: Mapping[str, Any],
) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """Tell the value sets that a use context is held against, each with the codings."""
    kind = context.get("code", {})
    yield KINDS, [kind]
    codings = context.get("valueCodeableConcept", {}).get("coding", [])
    if codings and kind.get("code") in VALUES:
        yield VALUES[kind["code"]], codings


def _is_none(found: ValueSet, coding: Mapping[str, Any]) -> bool:
    return found.has(coding.get("system", ""), coding.get("code", "")) is False
