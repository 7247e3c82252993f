"""What a submission must be in itself: its resources, one patient, one episode, one kind
of status, one device quality, the tags of its episode.

Pure: each rule takes what it needs and tells all problems that it finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fyr.core import Issue, Resource, broken_rule
from fyr.core.workflow.timing import moment_of
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.measurements.coded import code
from fyr.plugins.clinical.measurements.submission import (
    PROVENANCE,
    STATUSES,
    Entry,
    Submission,
    reference,
)
from fyr.plugins.clinical.measurements.units import unit_problems
from fyr.plugins.clinical.tags import SYSTEM, codes_of, system_tags

DEVICE_QUALITY = "DMQ"
_QUALIFIED = ("Observation", "Media")
#: Elements that the profiles of the guide demand of a measurement, by type: what it is
#: called, and the elements that say it. http://ehealth.sundhed.dk/fhir/profiles.html
_DEMANDED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Observation": {
        "effective": (
            "effectiveDateTime",
            "effectivePeriod",
            "effectiveTiming",
            "effectiveInstant",
        ),
        "performer": ("performer",),
    },
    "QuestionnaireResponse": {"authored": ("authored",), "source": ("source",)},
    "Media": {"created": ("createdDateTime", "createdPeriod")},
}
#: What the profile of the guide takes as a value, of an Observation and its components.
_VALUES = frozenset({"valueQuantity", "valueCodeableConcept"})
_TIMED = "Resolved"
_UNTIMED = frozenset({"Unresolved", "Adhoc", "Extra"})


def content_problems(submission: Submission) -> Iterator[Issue]:
    """Tell what is not to be in a submission, and what is missing in it."""
    if not submission.entries:
        yield CODES["MEASUREMENT_SUBMITMEASUREMENT_EMPTY_INPUT_BUNDLE"].issue(
            expression=[submission.place]
        )
        return
    for entry in submission.entries:
        if entry.kind not in (*STATUSES, PROVENANCE):
            yield CODES[
                "MEASUREMENT_SUBMITMEASUREMENT_INPUT_BUNDLE_CONTAINS_INVALID_RESOURCES"
            ].issue(expression=entry.at())
    if not any(submission.measurements):
        yield CODES[
            "MEASUREMENT_SUBMITMEASUREMENT_INPUT_BUNDLE_CONTAINS_NONE_OF_EXPECTED_RESOURCES"
        ].issue(expression=[submission.place])
    yield from _second_names(submission)


def _second_names(submission: Submission) -> Iterator[Issue]:
    seen: set[str] = set()
    for entry in submission.entries:
        if entry.full_url and entry.full_url in seen:
            place = f"{entry.place}.fullUrl"
            text = f"another entry has the fullUrl {entry.full_url[:200]} too"
            yield broken_rule(text, place)
        seen.add(entry.full_url)


def belonging_problems(submission: Submission) -> Iterator[Issue]:
    """Tell which measurements are not of one patient and one episode of care."""
    for entry in submission.measurements:
        if not entry.patient:
            yield CODES[
                "MEASUREMENT_SUBMITMEASUREMENT_INPUT_SHOULD_REFERENCE_PATIENT"
            ].issue(expression=entry.at("subject"))
        if not entry.episode:
            yield CODES[
                "MEASUREMENT_SUBMITMEASUREMENT_INPUT_SHOULD_REFERENCE_EPISODEOFCARE"
            ].issue(expression=entry.extension_at(extensions.EPISODE_OF_CARE))
    first = next(submission.measurements, None)
    for entry in submission.measurements:
        if first and entry.patient and entry.patient != first.patient:
            yield CODES[
                "MEASUREMENT_SUBMITMEASUREMENT_INPUT_FOR_DIFFERENT_PATIENTS"
            ].issue(expression=entry.at("subject"))
        if first and entry.episode and entry.episode != first.episode:
            yield CODES[
                "MEASUREMENT_SUBMITMEASUREMENT_INPUT_NOT_PART_OF_SAME_EPISODEOFCARE"
            ].issue(expression=entry.extension_at(extensions.EPISODE_OF_CARE))


def patient_problems(submission: Submission, episode: Resource) -> Iterator[Issue]:
    """Tell which measurements are of another patient than the episode of care."""
    wanted = reference(episode.get("patient"))
    for entry in submission.measurements:
        if entry.patient and entry.patient != wanted:
            yield CODES[
                "MEASUREMENT_SUBMITMEASUREMENT_DIFFERENT_PATIENT_REFERENCE"
            ].issue(expression=entry.at("subject"))


def tag_problems(submission: Submission, episode: Resource) -> Iterator[Issue]:
    """Tell which resources have a system tag that the episode of care has not."""
    allowed = codes_of(system_tags(episode))
    for entry in submission.entries:
        for index, one in enumerate(entry.resource.get("meta", {}).get("tag", ())):
            if one.get("system") == SYSTEM and one.get("code") not in allowed:
                yield CODES["SYSTEM_TAG_UNEXPECTED_TAG"].issue(
                    expression=entry.at(f"meta.tag[{index}]")
                )


def state_problems(entry: Entry) -> Iterator[Issue]:
    """Tell what is wrong with a measurement in itself: status, elements, timing, quality."""
    status, wanted = entry.resource.get("status"), STATUSES[entry.kind]
    if status != wanted:
        yield CODES["MEASUREMENT_SUBMITMEASUREMENT_INVALID_STATUS"].issue(
            status, wanted, entry.kind, expression=entry.at("status")
        )
    for name, elements in _DEMANDED[entry.kind].items():
        if not any(one in entry.resource for one in elements):
            text = f"a measurement of type {entry.kind} says its {name}"
            yield broken_rule(text, *entry.at(name))
    if entry.kind == "Observation":
        yield from _value_problems(entry)
        yield from unit_problems(entry)
    if not is_timed(entry.resource):
        yield CODES["MEASUREMENT_SUBMITMEASUREMENT_INVALID_RESOLVED_TIMING"].issue(
            expression=entry.extension_at(extensions.RESOLVED_TIMING)
        )
    if entry.kind in _QUALIFIED and len(device_qualities(entry.resource)) > 1:
        yield CODES["MEASUREMENT_SUBMITMEASUREMENT_MORE_THAN_ONE_DEVICE_QUALITY"].issue(
            expression=entry.extension_at(extensions.QUALITY)
        )


def _value_problems(entry: Entry) -> Iterator[Issue]:
    """Tell the values that nobody triages: they are no number and no code."""
    components = entry.resource.get("component", ())
    parts = [("value", entry.resource)]
    parts += [(f"component[{i}].value", one) for i, one in enumerate(components)]
    for place, part in parts:
        if any(key.startswith("value") and key not in _VALUES for key in part):
            text = "a value is a Quantity or a CodeableConcept"
            yield broken_rule(text, *entry.at(place))


def device_qualities(resource: Resource) -> list[object]:
    """Tell the extensions that tell how well a device measures."""
    return [
        one
        for one in extensions.extensions(resource, extensions.QUALITY)
        if code(extensions.value_of(one, "qualityType")) == DEVICE_QUALITY
    ]


def is_timed(resource: Resource) -> bool:
    """Whether it says how it fits into the plan, as its type of timing demands."""
    found = list(extensions.extensions(resource, extensions.RESOLVED_TIMING))
    if len(found) != 1:
        return False
    version, start, end = (
        extensions.value_of(found[0], part)
        for part in ("serviceRequestVersionId", "start", "end")
    )
    kind = code(extensions.value_of(found[0], "type"))
    if not version:
        return False
    if kind == _TIMED:
        begins, ends = moment_of(start), moment_of(end)
        turned = begins is not None and ends is not None and ends < begins
        return bool(start and end) and not turned
    return kind in _UNTIMED and start is None and end is None
