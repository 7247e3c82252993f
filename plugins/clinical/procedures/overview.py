"""``$get-patient-procedures``: what a patient is to do in a period, and has done of it.

http://ehealth.sundhed.dk/fhir/OperationDefinition/-s-get-patient-procedures. It only
reads. Care plans are searched with the rights of the caller; what belongs to them is
answered along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fyr.core import (
    Invalid,
    Issue,
    Operation,
    OperationCall,
    OperationParameter,
    Refused,
    Resource,
    broken_rule,
)
from fyr.core.workflow.timing import DANISH, occurrence_of
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.procedures.answering import answer
from fyr.plugins.clinical.procedures.finding import Finding
from fyr.plugins.clinical.procedures.periods import period_of
from fyr.plugins.clinical.procedures.rows import Overview, Requested, overview_of
from fyr.plugins.clinical.procedures.submissions import Submission
from fyr.plugins.clinical.references import all_asked, asked, reference_to

if TYPE_CHECKING:
    from fyr.plugins.clinical.parts import Room
    from fyr.plugins.clinical.procedures.submissions import Span

#: Rows of one answer; a year of ten activities, four times a day, has fewer.
MOST_ROWS: Final = 20_000

_PARAMETERS = (
    OperationParameter(
        "patient", "Reference", 1, documentation="The patient whose overview it is."
    ),
    OperationParameter(
        "start", "dateTime", 1, documentation="The beginning of the period."
    ),
    OperationParameter("end", "dateTime", 1, documentation="The end of the period."),
    OperationParameter(
        "episodeOfCare",
        "Reference",
        max="*",
        documentation="Only activities of these episodes of care.",
    ),
    OperationParameter(
        "conditionCodings",
        "Coding",
        max="*",
        documentation="Only activities of episodes of care for one of these conditions.",
    ),
    OperationParameter(
        "_tag",
        "Coding",
        max="*",
        documentation="Only activities of episodes of care with one of these tags.",
    ),
    OperationParameter(
        "extra",
        "boolean",
        documentation="Also tell what may be done outside of its slots.",
    ),
    OperationParameter(
        "return",
        "Bundle",
        use="out",
        min=1,
        documentation=(
            "Care plans, what is asked for in them, and Parameters with a row for each"
            " slot; warnings, if there are any."
        ),
    ),
)


def operations(room: Room) -> Iterator[Operation]:
    """Offer ``$get-patient-procedures`` of the careplan service."""
    yield Operation(
        "get-patient-procedures",
        get_patient_procedures,
        frozenset({"system"}),
        documentation=(
            "Tells what is expected of a patient in a period, and what was submitted."
        ),
        parameters=_PARAMETERS,
    )


def get_patient_procedures(call: OperationCall) -> Resource:
    """Answer a call of the operation."""
    question = _question(call)
    finding = Finding(call)
    plans = finding.plans(question.patient, question.episodes)
    eligible = finding.eligible(plans, question.conditions, question.tags)
    requests = finding.requests(eligible)
    references = [reference_to(one) for one in requests]
    submitted = finding.submissions(references, question.window)
    overviews = list(_overviews(requests, submitted, question, call.place("end")))
    return answer(call, eligible, list(zip(requests, overviews, strict=True)))


@dataclass(frozen=True, slots=True)
class _Question:
    """What a caller wants to know."""

    #: ``Patient/1``
    patient: str
    window: Span
    episodes: Sequence[str]
    conditions: Sequence[Any]
    tags: Sequence[Any]
    extra: bool


def _question(call: OperationCall) -> _Question:
    """Read the parameters.

    :raises Invalid: they cannot be understood, all problems at once.
    """
    patient, episodes = asked(call, "patient") or "", all_asked(call, "episodeOfCare")
    window, issues = period_of(call.value("start"), call.value("end"), DANISH)
    issues += _wrong_kind("patient", [patient], "Patient")
    issues += _wrong_kind("episodeOfCare", episodes, "EpisodeOfCare")
    if issues or window is None:
        raise Invalid(issues)
    return _Question(
        patient,
        window,
        episodes,
        call.values("conditionCodings"),
        call.values("_tag"),
        call.value("extra") is True,
    )


def _wrong_kind(name: str, references: Iterable[str], kind: str) -> list[Issue]:
    place = f"Parameters.parameter.where(name = '{name}')"
    return [
        broken_rule(f"{name} is to be a reference to a {kind} of this server", place)
        for one in references
        if not one.startswith(f"{kind}/")
    ]


def _overviews(
    requests: Sequence[Resource],
    submitted: Iterable[Submission],
    question: _Question,
    place: str,
) -> Iterator[Overview]:
    """Count for one request after the other.

    :param place: FHIRPath of what says how long the period is.
    :raises fyr.core.errors.FyrError: there are more rows than anybody reads.
    """
    came: dict[str, list[Submission]] = {}
    for one in submitted:
        came.setdefault(one.request, []).append(one)
    room = MOST_ROWS
    for request in requests:
        reference = reference_to(request)
        requested = Requested(
            reference,
            request["meta"]["versionId"],
            occurrence_of(request),
            ext.value_of(request, ext.INCLUDE_AS_EXTRA) is True,
        )
        found = overview_of(
            requested,
            came.get(reference, ()),
            question.window,
            extra=question.extra,
            most=room,
        )
        room -= len(found.rows)
        if room < 0:
            text = f"the period has more than {MOST_ROWS} slots; ask for a shorter one"
            raise Refused([broken_rule(text, place)])
        yield found
