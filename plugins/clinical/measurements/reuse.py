"""Measurements that are used again, by the citizen's choice: pure.

A Provenance says so: one target, which is submitted with it, and one entity, which was
measured before. Whether it may be, how good and how old, is said by ``reuseCriteria`` of
the service request that the target is based on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fyr.core import Issue, Resource, broken_rule
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.measurements.coded import (
    Coded,
    codings,
    seconds_of_units,
    subsumes,
)
from fyr.plugins.clinical.measurements.same import differences
from fyr.plugins.clinical.measurements.submission import (
    STATUSES,
    Entry,
    Submission,
    reference,
    unversioned,
)
from fyr.plugins.clinical.measurements.times import bounds, when
from fyr.plugins.clinical.systems import COHERENT

REUSE = (
    "http://ehealth.sundhed.dk/policy/ehealth/reuse-of-measurement-chosen-by-citizen"
)
QUALITY_TYPES = "http://ehealth.sundhed.dk/cs/quality-types"
#: Part of the criteria -> kind of quality that it asks for.
_ASKED = {
    "situationQuality": "SQ",
    "usageQuality": "UQ",
    "deviceMeasuringQuality": "DMQ",
}
_INVALID = frozenset({"entered-in-error"})
#: Code of the one activity, in small letters.
_QUOTATION = "quotation"
#: Agents that are no people.
_BESIDE = frozenset({"Device", "Organization"})


@dataclass(frozen=True)
class Past:
    """What was measured before: resources by reference, and which of them is reused."""

    entities: Mapping[str, Resource | None]
    #: those that are no measurement of their own
    reusing: Set[str] = frozenset()


def entity_of(provenance: Resource) -> str:
    """Tell the one resource that is used again; empty unless it is exactly one."""
    found = provenance.get("entity", ())
    return unversioned(reference(found[0].get("what"))) if len(found) == 1 else ""


def reuse_problems(
    entry: Entry,
    submission: Submission,
    requests: Mapping[str, Resource | None],
    past: Past,
    now: datetime,
    by: Mapping[str, Any],
) -> Iterator[Issue]:
    """Tell why what a Provenance says cannot be, or may not.

    :param entry: a Provenance of the submission.
    :param by: Reference to who submits.
    """
    yield from _form(entry)
    yield from _origin(entry, submission, by)
    yield from _second(entry, submission)
    target, entity = (
        _target(entry, submission),
        past.entities.get(entity_of(entry.resource)),
    )
    if len(entry.resource.get("target", ())) == 1 and target is None:
        told = reference(entry.resource["target"][0])
        yield CODES[
            "MEASUREMENT_SUBMITMEASUREMENT_INPUT_PROVENANCE_REFERENCE_MISSING"
        ].issue(told, expression=entry.at("target[0]"))
    if len(entry.resource.get("entity", ())) == 1 and not _is_usable(entity):
        told = reference(entry.resource["entity"][0].get("what"))
        yield CODES["MEASUREMENT_SUBMITMEASUREMENT_INPUT_PROVENANCE_INVALID"].issue(
            told, expression=entry.at("entity[0].what")
        )
    elif target is not None and entity is not None:
        if target.patient != reference(entity.get("subject")):
            # Nothing else is told of the measurement of another patient.
            yield CODES[
                "MEASUREMENT_SUBMITMEASUREMENT_INPUT_PROVENANCE_TARGET_AND_ENTITY_SHOULD_REFERENCE_SAME_PATIENT"
            ].issue(expression=entry.at("entity[0].what"))
            return
        yield from _pair(entry, target, entity, past)
        yield from _criteria(entry, target, entity, requests, now)


def _form(entry: Entry) -> Iterator[Issue]:
    resource = entry.resource
    policies = resource.get("policy", ())
    if REUSE not in policies or COHERENT in policies:
        yield CODES[
            "MEASUREMENT_SUBMITMEASUREMENT_INPUT_PROVENANCE_INVALID_POLICY"
        ].issue(expression=entry.at("policy"))
    if len(resource.get("target", ())) != 1:
        yield CODES[
            "MEASUREMENT_SUBMITMEASUREMENT_INPUT_PROVENANCE_NOT_SINGLE_TARGET"
        ].issue(expression=entry.at("target"))
    if len(resource.get("entity", ())) != 1:
        yield CODES[
            "MEASUREMENT_SUBMITMEASUREMENT_INPUT_PROVENANCE_NOT_SINGLE_ENTITY"
        ].issue(expression=entry.at("entity"))
    for number, one in enumerate(resource.get("entity", ())):
        if one.get("role") != "quotation":
            text = "what is used again is quoted: its role is quotation"
            yield broken_rule(text, *entry.at(f"entity[{number}].role"))


def _origin(
    entry: Entry, submission: Submission, by: Mapping[str, Any]
) -> Iterator[Issue]:
    """Refuse another activity than a quotation, and people who have not chosen it.

    The patient chooses, and whoever submits may do so; a device or an organization may
    stand beside.
    """
    activity = entry.resource.get("activity")
    if activity is not None and _QUOTATION not in {
        code.lower() for _, code in codings(activity)
    }:
        text = "the activity of what is used again is Quotation"
        yield broken_rule(text, *entry.at("activity"))
    patients = {one.patient for one in submission.measurements if one.patient}
    agents = entry.resource.get("agent", ())
    choosing = [_chooses(one.get("who", {}), patients, by) for one in agents]
    for number, agent in enumerate(agents):
        for part in ("who", "onBehalfOf"):
            who = agent.get(part)
            if _is_somebody(who) and not _chooses(who, patients, by):
                text = "an agent of what is used again is the patient, or who submits"
                yield broken_rule(text, *entry.at(f"agent[{number}].{part}"))
    if agents and not any(choosing) and not any(map(_is_somebody_in, agents)):
        text = "the patient, or who submits, is an agent of what is used again"
        yield broken_rule(text, *entry.at("agent"))


def _chooses(who: Mapping[str, Any], patients: Set[str], by: Mapping[str, Any]) -> bool:
    if reference(who):
        return unversioned(reference(who)) in {*patients, reference(by)}
    said, known = (one.get("identifier", {}).get("value") for one in (who, by))
    return said is not None and said == known


def _is_somebody(who: Any) -> bool:
    """Whether a Reference leads to a person, or does not say where it leads."""
    if not isinstance(who, Mapping):
        return False
    kind = reference(who).rpartition("/")[0].rpartition("/")[2] or who.get("type", "")
    return kind not in _BESIDE


def _is_somebody_in(agent: Mapping[str, Any]) -> bool:
    return _is_somebody(agent.get("who"))


def _second(entry: Entry, submission: Submission) -> Iterator[Issue]:
    """Refuse a target that a Provenance before this one has already: it is from one place."""
    told = reference_of_target(entry)
    before = (one for one in submission.provenances if one.number < entry.number)
    if told and any(reference_of_target(one) == told for one in before):
        text = f"another Provenance says where {told[:200]} comes from"
        yield broken_rule(text, *entry.at("target[0]"))


def reference_of_target(entry: Entry) -> str:
    """Tell the one target of a Provenance; empty unless it is exactly one."""
    found = entry.resource.get("target", ())
    return reference(found[0]) if len(found) == 1 else ""


def _target(entry: Entry, submission: Submission) -> Entry | None:
    """Find the measurement of the submission that a Provenance is about."""
    name = reference_of_target(entry)
    return next(
        (one for one in submission.measurements if name and one.full_url == name), None
    )


def _is_usable(entity: Resource | None) -> bool:
    return (
        entity is not None
        and entity.get("resourceType") in STATUSES
        and entity.get("status") not in _INVALID
    )


def _pair(entry: Entry, target: Entry, entity: Resource, past: Past) -> Iterator[Issue]:
    """Tell what target and entity must have in common, and have not."""
    place = entry.at("entity[0].what")
    if target.kind != entity.get("resourceType"):
        yield CODES[
            "MEASUREMENT_SUBMITMEASUREMENT_INPUT_PROVENANCE_TARGET_AND_ENTITY_SHOULD_BE_SAME_TYPE"
        ].issue(expression=place)
    else:
        for name in differences(target.resource, entity):
            text = f"{name} is not what it is in the measurement that is used again"
            yield broken_rule(text, *target.at(name))
    if not _is_same_date(entry, target, entity):
        yield CODES[
            "MEASUREMENT_SUBMITMEASUREMENT_INPUT_PROVENANCE_TARGET_AND_ENTITY_SHOULD_USE_SAME_DATE"
        ].issue(expression=place)
    if entity_of(entry.resource) in past.reusing:
        yield CODES[
            "MEASUREMENT_SUBMITMEASUREMENT_INPUT_PROVENANCE_ENTITY_IS_REUSING"
        ].issue(expression=place)


def _is_same_date(entry: Entry, target: Entry, entity: Resource) -> bool:
    measured = bounds(when(entity))
    if bounds(when(target.resource)) != measured:
        return False
    said = extensions.value_of(entry.resource["entity"][0], extensions.REUSED_DATE)
    return said is None or bounds(said) == measured


def _criteria(
    entry: Entry,
    target: Entry,
    entity: Resource,
    requests: Mapping[str, Resource | None],
    now: datetime,
) -> Iterator[Issue]:
    request = requests.get(target.order)
    if request is None:
        # Told of where the target is judged.
        return
    criteria = next(extensions.extensions(request, extensions.REUSE_CRITERIA), None)
    place = entry.at("target[0]")
    if criteria is None or extensions.value_of(criteria, "allowed") is not True:
        yield CODES["MEASUREMENT_SUBMITMEASUREMENT_REUSE_NOT_ALLOWED"].issue(
            target.full_url, expression=place
        )
        return
    for part, kind in _ASKED.items():
        wanted = list(codings(extensions.value_of(criteria, part)))
        if wanted:
            yield from _quality(wanted, kind, target)
    yield from _age(extensions.value_of(criteria, "dataActuality"), entity, now, place)


def _quality(wanted: list[Coded], kind: str, target: Entry) -> Iterator[Issue]:
    place = target.extension_at(extensions.QUALITY)
    given = qualities(target.resource, kind)
    if not given:
        yield CODES[
            "MEASUREMENT_SUBMITMEASUREMENT_ASSOCIATED_QUALITY_NOT_PRESENT"
        ].issue(wanted[0][1], expression=place)
    elif not any(subsumes(one, other) for one in wanted for other in given):
        yield CODES["MEASUREMENT_SUBMITMEASUREMENT_QUALITY_IS_NOT_SUBSUMED"].issue(
            wanted[0][1], given[0][1], expression=place
        )


def qualities(resource: Resource, kind: str) -> list[Coded]:
    """Tell the qualities of one kind that a resource has."""
    return [
        found
        for one in extensions.extensions(resource, extensions.QUALITY)
        if (QUALITY_TYPES, kind) in codings(extensions.value_of(one, "qualityType"))
        for found in codings(extensions.value_of(one, "qualityCode"))
    ]


def _age(
    longest: Any, entity: Resource, now: datetime, place: tuple[str, ...]
) -> Iterator[Issue]:
    """Refuse what was measured too long ago, or nobody knows when."""
    if not isinstance(longest, Mapping):
        return
    unit = longest.get("code") or longest.get("unit") or ""
    seconds = seconds_of_units().get(unit)
    if seconds is None:
        yield CODES["MEASUREMENT_SUBMITMEASUREMENT_DURATION_UNIT_CODE_UNKNOWN"].issue(
            unit, expression=place
        )
        return
    starts, ends = bounds(when(entity))
    measured = ends or starts
    allowed = float(longest.get("value", 0)) * seconds
    if measured is None or (now - measured).total_seconds() > allowed:
        yield CODES[
            "MEASUREMENT_SUBMITMEASUREMENT_RESOURCE_TO_OLD_TO_BE_USED_FOR_REUSE"
        ].issue(expression=place)
