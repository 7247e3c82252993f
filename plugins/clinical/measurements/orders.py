"""A measurement against the service request that it is based on: pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from fyr.core import Issue, Resource, broken_rule
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.measurements.answers import answer_problems
from fyr.plugins.clinical.measurements.coded import codings, mapped
from fyr.plugins.clinical.measurements.coherence import is_timed
from fyr.plugins.clinical.measurements.slots import regime_of, slot_problems
from fyr.plugins.clinical.measurements.submission import (
    Entry,
    reference,
    unversioned,
)
from fyr.plugins.clinical.measurements.times import period_problems
from fyr.plugins.clinical.measurements.units import conversion_problems
from fyr.plugins.clinical.measurements.value_sets import (
    ValueSets,
    value_set_problems,
)

_ACTIVE = "active"
_COMPOSED_OF = "composed-of"
#: Versions are numbers, from 1 on.
_NUMBER = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
#: Gives the relative form of a canonical URL of this server, without its version.
Local = Callable[[str], str]


@dataclass(frozen=True)
class Orders:
    """What measurements are judged by; ``None`` for what is not there."""

    requests: dict[str, Resource | None]
    activities: dict[str, Resource | None] = field(default_factory=dict)
    questionnaires: dict[str, Resource | None] = field(default_factory=dict)
    #: versions of requests that something was measured for, other than the newest ones
    regimes: dict[str, Resource | None] = field(default_factory=dict)
    #: of what is answered, by questionnaire and address
    value_sets: dict[str, ValueSets] = field(default_factory=dict)


def activity_of(request: Resource, local: Local) -> str:
    """Tell the ActivityDefinition that a service request is made from; or nothing."""
    return next(map(local, request.get("instantiatesCanonical", ())), "")


def questionnaire_of(entry: Entry, local: Local) -> str:
    """Tell the Questionnaire that a measurement answers; empty: none."""
    found = entry.resource.get("questionnaire", "")
    return local(found) if entry.kind == "QuestionnaireResponse" else ""


def order_problems(entry: Entry, orders: Orders, local: Local) -> Iterator[Issue]:
    """Tell what of a measurement was not ordered so."""
    if entry.kind == "QuestionnaireResponse":
        yield from period_problems(entry)
    if not entry.order:
        text = "a measurement is based on one ServiceRequest"
        yield broken_rule(text, *entry.at("basedOn"))
        return
    request = orders.requests.get(entry.order)
    if request is None:
        yield _missing(entry.order, entry.at("basedOn[0]"))
        return
    elsewhere = list(_belonging(entry, request))
    if elsewhere:
        # Nothing else is told of what was ordered in another episode of care.
        yield from elsewhere
        return
    identity = entry.order.partition("/")[2]
    yield from _version(entry, request)
    regime = orders.regimes.get(regime_of(entry)) or request
    if is_timed(entry.resource):
        yield from slot_problems(entry, regime)
    if request.get("status") != _ACTIVE:
        yield CODES[
            "MEASUREMENT_SUBMITMEASUREMENT_PROCEDURE_REQUEST_IS_NOT_ACTIVE"
        ].issue(identity, expression=entry.at("basedOn[0]"))
    if entry.kind == "Observation":
        if not _is_asked_for(entry.resource, request):
            yield CODES["MEASUREMENT_SUBMITMEASUREMENT_INVALID_OBSERVATION_CODE"].issue(
                identity, expression=entry.at("code")
            )
        yield from conversion_problems(entry, request)
    if entry.kind == "QuestionnaireResponse":
        yield from _questionnaire(entry, request, orders, local)


def _belonging(entry: Entry, request: Resource) -> Iterator[Issue]:
    """Refuse an order of another patient or another episode of care."""
    subject = reference(request.get("subject"))
    if entry.patient and subject and subject != entry.patient:
        yield CODES["MEASUREMENT_SUBMITMEASUREMENT_DIFFERENT_PATIENT_REFERENCE"].issue(
            expression=entry.at("basedOn[0]")
        )
    found = extensions.reference_of(request, extensions.EPISODE_OF_CARE) or ""
    episode = unversioned(found)
    if entry.episode and episode and episode != entry.episode:
        yield CODES[
            "MEASUREMENT_SUBMITMEASUREMENT_INPUT_NOT_PART_OF_SAME_EPISODEOFCARE"
        ].issue(expression=entry.at("basedOn[0]"))


def _version(entry: Entry, request: Resource) -> Iterator[Issue]:
    """Tell a version of the order that cannot be, and warn of one that has not been yet.

    The guide's own examples name versions that are not there, so these are taken.
    """
    newest = int(request["meta"]["versionId"])
    for timing in extensions.extensions(entry.resource, extensions.RESOLVED_TIMING):
        (place,) = entry.extension_at(extensions.RESOLVED_TIMING)
        for index, part in enumerate(timing.get("extension", ())):
            version = str(part.get("valueId", ""))
            if part.get("url") != "serviceRequestVersionId" or not version:
                # Told of with the timing.
                continue
            is_number = bool(_NUMBER.fullmatch(version))
            if is_number and int(version) <= newest:
                continue
            issue = _missing(
                f"{entry.order}/_history/{version}",
                (f"{place}.extension[{index}].value",),
            )
            yield replace(issue, severity="warning") if is_number else issue


def _is_asked_for(observation: Resource, request: Resource) -> bool:
    asked = set(codings(request.get("code")))
    wanted = asked | mapped(asked)
    return not wanted.isdisjoint(codings(observation.get("code")))


def _questionnaire(
    entry: Entry, request: Resource, orders: Orders, local: Local
) -> Iterator[Issue]:
    name = activity_of(request, local)
    activity = orders.activities.get(name)
    if activity is None:
        yield _missing(name or "ActivityDefinition/", entry.at("basedOn[0]"))
        return
    identity = name.partition("/")[2]
    listed = _listed(activity, local)
    if not listed:
        yield CODES[
            "MEASUREMENT_SUBMITMEASUREMENT_ACTIVITYDEFINITION_MISSING_QUESTIONNAIRE_REFERENCE"
        ].issue(identity, expression=entry.at("basedOn[0]"))
        return
    answered = questionnaire_of(entry, local)
    if answered not in listed:
        told = answered or entry.resource.get("questionnaire", "")
        yield CODES[
            "MEASUREMENT_SUBMITMEASUREMENT_INVALID_QUESTIONNAIRE_REFERENCE"
        ].issue(told, identity, expression=entry.at("questionnaire"))
        return
    questionnaire = orders.questionnaires.get(answered)
    if questionnaire is None:
        yield _missing(answered, entry.at("questionnaire"))
        return
    yield from _other_version(entry, questionnaire)
    yield from answer_problems(entry, questionnaire)
    value_sets = orders.value_sets.get(answered, {})
    yield from value_set_problems(entry, questionnaire, value_sets)


def _other_version(entry: Entry, questionnaire: Resource) -> Iterator[Issue]:
    """Warn of answers to a version of a Questionnaire that is not the one kept here."""
    said = entry.resource.get("questionnaire", "").partition("|")[2]
    kept = questionnaire.get("version", "")
    if said and said != kept:
        text = (
            f"The answers are to version {said[:100]} of Questionnaire"
            f" {questionnaire['id']}, and were held against the one that is here,"
            f" {f'version {kept[:100]}' if kept else 'which says no version'}."
        )
        issue = broken_rule(text, *entry.at("questionnaire"))
        yield replace(issue, severity="warning")


def _listed(activity: Resource, local: Local) -> set[str]:
    found = {
        local(one.get("resource", ""))
        for one in activity.get("relatedArtifact", ())
        if one.get("type") == _COMPOSED_OF
    }
    return {one for one in found if one.startswith("Questionnaire/")}


def _missing(name: str, place: tuple[str, ...]) -> Issue:
    kind, _, identity = name.partition("/")
    return CODES["GENERAL_RESOURCE_NOT_FOUND"].issue(kind, identity, expression=place)
