"""Units of what was measured, against the reference ranges of its order: pure.

What is measured in a unit that cannot be converted into the one of its ranges would be
judged by nobody, or wrongly. https://ucum.org/ucum
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from fyr.core import Issue, Resource, broken_rule
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.measurements.coded import Coded, codings
from fyr.plugins.clinical.measurements.submission import Entry
from fyr.search.extraction.converting import fits, unit_of
from fyr.search.extraction.units import UCUM, unit

#: What says the unit of a Quantity, each of them.
_PARTS = ("unit", "system", "code")
_ENDS = ("low", "high")
_ALARMS = frozenset({"RAL", "GAL", "RELRAL", "RELGAL"})


def unit_problems(entry: Entry) -> Iterator[Issue]:
    """Tell the values of an Observation that do not say which unit they are in."""
    for place, _, quantity in _quantities(entry.resource):
        missing = [one for one in _PARTS if not quantity.get(one)]
        if missing:
            text = (
                f"a Quantity has unit, system and code; missing: {', '.join(missing)}"
            )
            yield broken_rule(text, *entry.at(place))


def conversion_problems(entry: Entry, request: Resource) -> Iterator[Issue]:
    """Tell the values whose unit cannot be converted into any of their ranges' units.

    A range whose own unit is none says nothing of the unit that is right.
    """
    ranges = [
        (set(codings(extensions.value_of(one, "type"))), found)
        for one in extensions.extensions(request, extensions.REFERENCE_RANGE)
        if (found := _units(one))
    ]
    for place, codes, quantity in _quantities(entry.resource):
        given = str(quantity.get("code") or "")
        wanted = sorted(
            {one for kinds, found in ranges if _is_for(kinds, codes) for one in found}
        )
        if given and wanted and not any(fits(unit_of(quantity), one) for one in wanted):
            text = (
                f"{given[:50]}{_of_system(quantity)} cannot be converted into {' or '.join(wanted)},"
                f" the unit of the reference ranges of ServiceRequest {request['id']}"
            )
            yield broken_rule(text, *entry.at(f"{place}.code"))


def _quantities(
    observation: Resource,
) -> Iterator[tuple[str, Set[Coded], Mapping[str, Any]]]:
    """Go through the numbers of an Observation: place, what is measured, Quantity."""
    parts = [("", observation)]
    parts += [
        (f"component[{index}].", one)
        for index, one in enumerate(observation.get("component", ()))
    ]
    for place, part in parts:
        quantity = part.get("valueQuantity")
        if isinstance(quantity, Mapping) and "value" in quantity:
            yield f"{place}value", set(codings(part.get("code"))), quantity


def _units(one: Mapping[str, Any]) -> set[str]:
    """Tell the UCUM units of a range."""
    ends = (extensions.value_of(one, name) for name in _ENDS)
    found = {unit_of(end) for end in ends if isinstance(end, Mapping)}
    return {one for one in found if unit(one) is not None}


def _is_for(kinds: Set[Coded], codes: Set[Coded]) -> bool:
    """Whether a range is for a value: one that names codes besides is for those only."""
    others = {code for code in kinds if code[1] not in _ALARMS}
    return not others or not others.isdisjoint(codes)


def _of_system(quantity: Mapping[str, Any]) -> str:
    """Name the system of a code that is not UCUM's, which may look like one."""
    system = str(quantity.get("system") or UCUM)
    return "" if system == UCUM else f" of {system[:100]}"
