"""What ``$search-measurements`` and its sibling are asked: read, and refused where wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fyr.core import Invalid, Issue, OperationCall, Refused
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.references import all_asked, asked, own
from fyr.plugins.clinical.tokens import token

#: Parameter -> type that it refers to.
_TYPES = {"patient": "Patient", "episodeOfCare": "EpisodeOfCare"}
_DEVICES = ("Device", "DeviceMetric")
_PARAMETERS = ("Parameters.parameter",)
#: Most bundles of one answer.
MOST = 100


@dataclass(frozen=True)
class Asked:
    """Which measurements are wanted; references are relative, empty where not given."""

    patient: str
    episode: str
    device: str
    requests: tuple[str, ...]
    #: ``system|code``, one of which they have
    tags: tuple[str, ...]

    @property
    def references(self) -> Iterator[tuple[str, str]]:
        """Go through what is referred to, each with its parameter."""
        for name, one in (
            ("patient", self.patient),
            ("episodeOfCare", self.episode),
            ("device", self.device),
        ):
            if one:
                yield name, one
        for one in self.requests:
            yield "based-on", one


def asked_of(call: OperationCall) -> Asked:
    """Read what both operations take."""
    return Asked(
        _one(call, "patient"),
        _one(call, "episodeOfCare"),
        _one(call, "device"),
        tuple(all_asked(call, "based-on")),
        tuple(token(one) for one in call.values("_tag")),
    )


def narrowed(call: OperationCall, asked: Asked) -> Asked:
    """Keep a search within the episode of care, or the patient, of the token."""
    principal = call.context.principal
    if principal.user_type == "SYSTEM":
        return asked
    episode, patient = (
        own(call, principal.context.get(key, ""))
        for key in ("episode_of_care", "patient")
    )
    if episode:
        return replace(asked, episode=asked.episode or episode)
    if principal.user_type == "PATIENT":
        return replace(asked, patient=asked.patient or patient)
    return asked


def in_a_period(call: OperationCall, asked: Asked) -> Mapping[str, Any]:
    """Tell the period that is asked for.

    :raises Invalid: it, or whose measurements are wanted, is missing or wrong.
    """
    issues = []
    period = call.value("period") or {}
    if not {"start", "end"} & set(period):
        issues.append(
            CODES["MEASUREMENT_SEARCHMEASUREMENT_PERIOD_NOT_SPECIFIED"].issue(
                expression=_PARAMETERS
            )
        )
    if not asked.patient and not asked.episode:
        issues.append(
            CODES[
                "MEASUREMENT_SEARCHMEASUREMENT_PATIENT_AND_EPISODE_NOT_SPECIFIED"
            ].issue(expression=_PARAMETERS)
        )
    _refuse([*issues, *_unsupported(asked)])
    return period


def how_many(call: OperationCall, asked: Asked) -> tuple[int, str, str]:
    """Tell the count that is asked for, and the start or the end.

    :raises Invalid: one of them, or whose measurements are wanted, is missing or wrong.
    """
    issues = []
    count, start, end = (call.value(one) for one in ("count", "start", "end"))
    if count is None or count < 1:
        issues.append(
            CODES["MEASUREMENT_SEARCHMEASUREMENT_COUNT_NOT_SPECIFIED"].issue(
                expression=_PARAMETERS
            )
        )
    elif count > MOST:
        issues.append(
            CODES["MEASUREMENT_SEARCHMEASUREMENT_COUNT_LIMIT_EXCEEDED"].issue(
                expression=_PARAMETERS
            )
        )
    if start is None and end is None:
        issues.append(
            CODES["MEASUREMENT_SEARCHMEASUREMENT_START_OR_END_NOT_SPECIFIED"].issue(
                expression=_PARAMETERS
            )
        )
    if start is not None and end is not None:
        issues.append(
            CODES["MEASUREMENT_SEARCHMEASUREMENT_START_AND_END_BOTH_SPECIFIED"].issue(
                expression=_PARAMETERS
            )
        )
    if not asked.patient and not asked.episode and not asked.requests:
        issues.append(
            CODES[
                "MEASUREMENT_SEARCHMEASUREMENT_PATIENT_AND_EPISODE_AND_SERVICEREQUEST_NOT_SPECIFIED"
            ].issue(expression=_PARAMETERS)
        )
    _refuse([*issues, *_unsupported(asked)])
    return int(count or 0), start or "", end or ""


def require_there(asked: Asked, is_there: Callable[[str], bool]) -> None:
    """Refuse a search for what belongs to something that is not there.

    :raises Refused: all that is missing.
    """
    issues = [
        CODES["MEASUREMENT_SEARCHMEASUREMENT_REFERENCED_RESOURCE_NOT_FOUND"].issue(
            one, expression=_place(name)
        )
        for name, one in asked.references
        if not is_there(one)
    ]
    if issues:
        raise Refused(issues)


def _unsupported(asked: Asked) -> Iterator[Issue]:
    for name, one in asked.references:
        kind = one.rpartition("/")[0].rpartition("/")[2]
        wanted = _TYPES.get(name)
        if wanted is not None and one.partition("/")[0] != wanted:
            yield CODES["MEASUREMENT_SEARCHMEASUREMENT_UNSUPPORTED_REFERENCE"].issue(
                wanted, kind or one, expression=_place(name)
            )
        if name == "device" and one.partition("/")[0] not in _DEVICES:
            yield CODES[
                "MEASUREMENT_SEARCHMEASUREMENT_UNSUPPORTED_DEVICE_REFERENCE"
            ].issue(expression=_place(name))
        if name == "based-on" and one.partition("/")[0] != "ServiceRequest":
            yield CODES[
                "MEASUREMENT_SEARCHMEASUREMENT_UNSUPPORTED_BASEDON_REFERENCE"
            ].issue(one, expression=_place(name))


def _refuse(issues: list[Issue]) -> None:
    if issues:
        raise Invalid(issues)


def _place(name: str) -> list[str]:
    return [f"Parameters.parameter.where(name = '{name}')"]


def _one(call: OperationCall, name: str) -> str:
    return asked(call, name) or ""
