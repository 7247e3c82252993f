"""Triage by the alarm ranges of an activity: RAL, GAL, RELRAL and RELGAL.

A value inside an alarm range, ends included, raises that alarm; red goes before yellow,
and a value that was held against ranges and lies in none is green. The ends of a relative
range are added to the value of the goal in force. A range that names codes of
measurements beside its kind is for those values only, which is how the two components of
a blood pressure have ranges of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from fyr.core import Resource, RuleFinding, RuleInput, RuleProblem
from fyr.core.model.budget import Budget
from fyr.plugins.rules.goals import target_value, targets
from fyr.plugins.rules.terms import (
    ABSOLUTE,
    COLOURS,
    REFERENCE_RANGE,
    RELATIVE,
    Code,
    codes_of,
    extension_value,
    extensions,
    finding_code,
    listed,
    number,
    reference_to,
)
from fyr.search.extraction.converting import converted, is_of_ucum, unit_of

RULE = "reference-ranges"


@dataclass(frozen=True, slots=True)
class AlarmRange:
    """An alarm range; an end that is ``None`` is open."""

    colour: str
    kind: str
    relative: bool
    low: Decimal | None
    high: Decimal | None
    #: of its ends, as :func:`unit_of` tells them
    units: frozenset[str]
    #: codes of the values that it is for; empty: all
    codes: frozenset[Code]

    def may_hold(self, value: Measured) -> bool:
        """Whether a value lies in it, ends included, or may: ``< 95`` is all below 95."""
        number, how = value.number, value.comparator
        above = self.low is None or number >= self.low or how in (">", ">=")
        below = self.high is None or number <= self.high or how in ("<", "<=")
        # Of what is said to be beyond an end, nothing lies at it.
        beyond = (how == "<" and number == self.low) or (
            how == ">" and number == self.high
        )
        return above and below and not beyond

    def text(self) -> str:
        """Tell it as people write it: ``GAL 88..92``."""
        low, high = ("" if end is None else str(end) for end in (self.low, self.high))
        return f"{self.kind} {low}..{high}"


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of an Observation: its own, or that of a component."""

    number: Decimal
    unit: str
    codes: frozenset[Code]
    #: what a finding says that it is about; empty where that is plain
    about: tuple[Mapping[str, Any], ...]
    #: ``<``, ``<=``, ``>=`` or ``>``: the value lies somewhere there; empty: it is the number
    comparator: str = ""


def alarm_ranges(service_request: Resource | None) -> list[AlarmRange]:
    """Read the alarm ranges of an activity; ranges of other kinds are no alarm."""
    found = (
        _alarm_range(one) for one in extensions(service_request or {}, REFERENCE_RANGE)
    )
    return [one for one in found if one is not None]


def values_of(observation: Resource) -> list[Measured]:
    """Tell all numbers of an Observation."""
    own = codes_of(observation.get("code"))
    found = list(_measured(observation, own, ()))
    for component in listed(observation.get("component")):
        if isinstance(component, dict):
            code = component.get("code")
            coding = listed(code.get("coding")) if isinstance(code, dict) else ()
            found += _measured(component, codes_of(code), tuple(coding[:1]))
    return found


def judge(
    observation: Resource, asked: RuleInput, needed: bool, budget: Budget
) -> Iterator[RuleFinding | RuleProblem]:
    """Hold an Observation against the ranges of its activity.

    :param needed: whether a value without a range is a problem.
    """
    about = reference_to(observation)
    values = values_of(observation)
    ranges = alarm_ranges(asked.service_request)
    if not values:
        if "dataAbsentReason" in observation or not _tells(observation):
            yield RuleFinding(about, finding_code("data-absent"), rule=RULE)
        elif ranges and "hasMember" not in observation:
            text = f"{about}: there are alarm ranges, and its value is no number"
            yield RuleProblem("input", text, "RefRangeFixingNeeded")
        return
    for value in values:
        budget.spend(1 + len(ranges) * (1 + len(asked.goals)))
        ours = [one for one in ranges if not one.codes or one.codes & value.codes]
        if not ours and needed:
            text = f"{about}: there is no alarm range for its value"
            yield RuleProblem("input", text, "RefRangeNeeded")
        yield from _verdict(value, ours, observation, asked)


def _tells(observation: Resource) -> bool:
    """Whether an Observation without numbers says something else, or others do for it."""
    parts = (observation, *listed(observation.get("component")))
    return "hasMember" in observation or any(
        name.startswith("value") and (name != "valueQuantity" or "value" in value)
        for one in parts
        if isinstance(one, dict)
        for name, value in one.items()
    )


def _verdict(
    value: Measured, ours: Sequence[AlarmRange], observation: Resource, asked: RuleInput
) -> Iterator[RuleFinding | RuleProblem]:
    about = reference_to(observation)
    usable: list[tuple[AlarmRange, Measured]] = []
    # Without its unit it may be any number; that it may be an alarm is told.
    doubtful = any(_is_doubtful(value, one) for one in ours)
    if doubtful:
        has = f"a unit that is not known, {value.unit}" if value.unit else "no unit"
        text = f"{about}: its value has {has}, and alarm ranges have another"
        yield RuleProblem("input", text, "RefRangeFixingNeeded")
    for one in ours:
        fixed = _based(one, value, observation, asked)
        if isinstance(fixed, RuleProblem):
            yield fixed
        else:
            usable.append(fixed)
    raised = [one for one, held in usable if one.may_hold(held)]
    # What lies in none of some ranges may lie in one that could not be used.
    if not usable or (not raised and (doubtful or len(usable) < len(ours))):
        return
    raised.sort(key=lambda one: COLOURS.index(one.colour))
    colour = raised[0].colour if raised else "green"
    lies = "may lie" if value.comparator else "lies"
    where = f"{lies} in {raised[0].text()}" if raised else "lies in no alarm range"
    basis = " ".join(f"{value.comparator} {value.number} {value.unit}".split())
    yield RuleFinding(
        about, finding_code(colour, value.about), RULE, f"{basis} {where}"
    )


def _based(
    one: AlarmRange, value: Measured, observation: Resource, asked: RuleInput
) -> tuple[AlarmRange, Measured] | RuleProblem:
    """Give a range as it holds, and the value in its unit, or tell what is wrong."""
    about = reference_to(observation)
    held = _in_unit_of(one, value)
    if held is None:
        text = f"{about}: {one.kind} has another unit than the value ({value.unit})"
        return RuleProblem("input", text, "RefRangeFixingNeeded")
    if one.low is None and one.high is None:
        text = f"{about}: {one.kind} has neither end"
        return RuleProblem("input", text, "RefRangeFixingNeeded")
    if not one.relative:
        return one, held
    activity = reference_to(asked.service_request or {})
    day = _day_of(observation) or asked.now.date()
    found = targets(asked.goals, activity, value.codes, day)
    if not found:
        text = f"{about}: there is no goal in force that {one.kind} is relative to"
        return RuleProblem("input", text, "RefBaseNeeded")
    base = _base(found[0], held.unit)
    if base is None:
        text = f"{about}: the goal has no value in the unit of the measurement"
        return RuleProblem("input", text, "RefBaseFixingNeeded")
    low = None if one.low is None else base + one.low
    high = None if one.high is None else base + one.high
    fixed = AlarmRange(one.colour, one.kind, False, low, high, one.units, one.codes)
    return fixed, held


def _is_doubtful(value: Measured, one: AlarmRange) -> bool:
    """Whether a value cannot be in the unit of a range for sure, nor converted into it."""
    if not value.unit:
        return bool(one.units)
    return not is_of_ucum(value.unit) and one.units != {value.unit}


def _in_unit_of(one: AlarmRange, value: Measured) -> Measured | None:
    """Give a value in the unit of a range; ``None``: it cannot be converted.

    What has no unit, on either side, is taken as it is, and so is a value in a unit that
    is not known.
    """
    others = one.units - {value.unit}
    if not value.unit or one.units == {value.unit}:
        return value
    if not is_of_ucum(value.unit):
        return replace(value, unit="")
    if not others:
        return value
    if len(one.units) > 1:
        return None
    (wanted,) = others
    number = converted(value.number, value.unit, wanted)
    return None if number is None else replace(value, number=number, unit=wanted)


def _base(target: Mapping[str, Any], wanted: str) -> Decimal | None:
    """Tell the value of a goal in a unit; ``None``: it has none, or in another one."""
    base = target_value(target)
    if base is None or not wanted or base[1] in ("", wanted):
        return None if base is None else base[0]
    return converted(base[0], base[1], wanted)


def _alarm_range(extension: Mapping[str, Any]) -> AlarmRange | None:
    codes = codes_of(extension_value(extension, "type"))
    kinds = {**ABSOLUTE, **RELATIVE}
    alarms = sorted(codes & kinds.keys())
    if not alarms:
        return None
    low, high = (_end(extension, name) for name in ("low", "high"))
    units = {unit_of(end) for end in (low, high) if "code" in end}
    return AlarmRange(
        kinds[alarms[0]],
        alarms[0][1],
        alarms[0] in RELATIVE,
        number(low.get("value")),
        number(high.get("value")),
        frozenset(units),
        codes - kinds.keys(),
    )


def _end(extension: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    end = extension_value(extension, name)
    return end if isinstance(end, dict) else {}


def _measured(
    element: Mapping[str, Any],
    codes: frozenset[Code],
    about: tuple[Mapping[str, Any], ...],
) -> Iterator[Measured]:
    quantity = element.get("valueQuantity")
    if isinstance(quantity, dict):
        value = number(quantity.get("value"))
        unit = unit_of(quantity)
        comparator = str(quantity.get("comparator") or "")
    else:
        value, unit, comparator = number(element.get("valueInteger")), "", ""
    if value is not None:
        yield Measured(value, unit, codes, about, comparator)


def _day_of(observation: Resource) -> date | None:
    period = observation.get("effectivePeriod")
    start = period.get("start") if isinstance(period, dict) else None
    text = observation.get("effectiveDateTime") or start
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None
