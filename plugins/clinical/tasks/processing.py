"""Automated processing: what is done with each submission after its commit.

Rules are run outside of any transaction, because they may take a while; what comes of
them is written together with the consumer's cursor, so that each submission is processed
once, whatever crashes in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from fyr.core import (
    Acting,
    Change,
    Consumer,
    FyrError,
    Resource,
    RuleLimits,
    RuleOutcome,
    RuleProblem,
    Session,
    Unavailable,
)
from fyr.core.telling import TOLD
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.parts import Room
from fyr.plugins.clinical.references import reference_to
from fyr.plugins.clinical.systems import COHERENT
from fyr.plugins.clinical.tasks import triggers, unexpected
from fyr.plugins.clinical.tasks.libraries import libraries_of
from fyr.plugins.clinical.tasks.remembering import Remembering
from fyr.plugins.clinical.tasks.results import Results
from fyr.plugins.clinical.tasks.submission import (
    Evaluated,
    Measured,
    measured_in,
    rule_input,
    targets_of,
)
from fyr.plugins.clinical.tasks.terms import TRIAGING_RESULT
from fyr.plugins.clinical.tasks.wanted import steered_all
from fyr.plugins.clinical.times import second

if TYPE_CHECKING:
    from fyr.core import Application

log = structlog.get_logger(__name__)

LIMITS = RuleLimits()
_PROCESSED = "ehealth-provenance.measurement-processed"
_FOR_ASSESSMENT = "MeasurementForAssessment"
FAILED = f"{_FOR_ASSESSMENT}FailureInAutoProcessing"
NOT_TRIAGED = f"{_FOR_ASSESSMENT}NotTriaged"

#: What odd data can raise, and a database that wants the transaction again does not.
_OF_THE_DATA = (
    FyrError,
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
)

#: Makes what is to be stored of one activity, in the transaction.
Making = Callable[[Acting], list[Resource]]


def consumers(room: Room) -> Iterable[Consumer]:
    """Offer the consumer that processes submissions."""
    processing = Processing(room)
    yield Consumer(
        "clinical.processing",
        processing.handle,
        types=frozenset({"Provenance"}),
        handle_many=processing.handle_many,
    )


@dataclass(frozen=True, slots=True)
class Processed:
    """A submission that rules have judged, and of which nothing is stored yet."""

    change: Change
    provenance: Resource
    makings: Sequence[Making]
    #: whether what is made of it depends on what was made of others a moment ago
    alone: bool = False


class Processing:
    """Takes each submission to rules, triggers and tasks."""

    def __init__(self, room: Room) -> None:
        """Take where the application is found, once it stands."""
        self._room = room

    def handle(self, change: Change) -> Callable[[Session], None] | None:
        """Process a Provenance that says what was submitted together; no other."""
        return self.handle_many([change])

    def handle_many(
        self, changes: Sequence[Change]
    ) -> Callable[[Session], None] | None:
        """Process many: what they have in common is read once, and all stored at once."""
        submitted = [
            (one, one.new)
            for one in changes
            if one.new is not None
            and one.version == 1
            and COHERENT in one.new.get("policy", ())
        ]
        if not submitted:
            return None
        reading = Remembering(self._room.application.interactions)
        reading.look_ahead(provenance for _, provenance in submitted)
        found = [self._judged(reading, *one) for one in submitted]

        def note(session: Session) -> None:
            work = partial(self._write, found)
            self._room.application.act_within(session, work)

        return note

    def _judged(
        self, reading: Acting, change: Change, provenance: Resource
    ) -> Processed:
        try:
            makings, alone = _evaluated(self._room.application, provenance, reading)
        except Unavailable:
            raise
        except Exception as error:
            # A measurement that nobody hears of is worse than one that nobody judged.
            log.error("submission not processed", exc_info=error)
            return Processed(change, provenance, [partial(_failure, provenance)])
        return Processed(change, provenance, makings, alone)

    def _write(self, found: Sequence[Processed], acting: Acting) -> None:
        """Write what came of submissions, in their order, in the cursor's transaction."""
        together: list[Processed] = []
        for one in found:
            if one.alone:
                self._store(together, acting)
                self._store([one], acting)
                together = []
            else:
                together.append(one)
        self._store(together, acting)

    def _store(self, found: Sequence[Processed], acting: Acting) -> None:
        try:
            _store([making for one in found for making in one.makings], acting)
        except _OF_THE_DATA as error:
            # Nothing has been written when the tables refuse. Raising would have
            # this submission hold up all others.
            if len(found) > 1:
                for one in found:
                    self._store([one], acting)
                return
            log.error("results of a submission refused", exc_info=error)
            self._store_failure(found[0].provenance, acting)
        for one in found:
            self._tell(one, acting)

    def _store_failure(self, provenance: Resource, acting: Acting) -> None:
        try:
            _store([partial(_failure, provenance)], acting)
        except _OF_THE_DATA as error:
            log.error("results of a submission refused", exc_info=error)

    def _tell(self, one: Processed, acting: Acting) -> None:
        change = one.change
        told = {"topic": _PROCESSED, "event": "created", "version": str(change.version)}
        patient = _patient(one.provenance, acting)
        self._room.application.outbox.emit(
            acting.session,
            TOLD,
            {**told, **({"patient": patient} if patient else {})},
            subject=(change.type, change.id),
            trace_id=change.trace_id,
        )


def _evaluated(
    application: Application, provenance: Resource, reading: Acting
) -> tuple[list[Making], bool]:
    """Run the rules for each activity of a submission; nothing is stored yet.

    Tells, too, whether what is to be made depends on what others have made: a task is
    not asked for twice, and a trigger fires once.
    """
    makings: list[Making] = []
    alone = False
    for measured in measured_in(reading, provenance):
        found = evaluate(application, reading, measured)
        odd = unexpected.odd_ones(reading, measured)
        reacts = triggers.may_react(reading, measured)
        asks = any(
            problem.code
            for one in found or ()
            if one.outcome is not None
            for problem in one.outcome.problems
        )
        alone = alone or reacts or asks
        makings.append(partial(_made, measured, found, odd, reacts))
    return makings, alone


def evaluate(
    application: Application, acting: Acting, measured: Measured
) -> list[Evaluated] | None:
    """Run all rules for what was measured for an activity; ``None``: there are none."""
    libraries, missing = libraries_of(acting, measured.activity, measured.plan)
    if not libraries and not missing:
        return None
    found = [Evaluated({"resourceType": "Library", "id": url}, None) for url in missing]
    for library in libraries:
        asked, problems = rule_input(acting, measured, library)
        outcome = application.hooks.evaluate_rules(
            library=library, asked=asked, limits=LIMITS
        )
        if outcome is not None and problems:
            outcome = RuleOutcome(
                outcome.findings, outcome.resources, [*outcome.problems, *problems]
            )
        found.append(Evaluated(library, outcome))
    return found


def _store(makings: Sequence[Making], acting: Acting) -> None:
    made = [resource for making in makings for resource in making(acting)]
    if made:
        acting.store(made)


def _made(
    measured: Measured,
    evaluated: Sequence[Evaluated] | None,
    odd: Sequence[unexpected.Odd],
    reacts: bool,
    acting: Acting,
) -> list[Resource]:
    """Make impressions, tasks and messages of what rules said of one activity."""
    results = Results(measured, second(acting.now), acting.new_id)
    if evaluated is None:
        for measurement in measured.measurements:
            text = "Assess the measurement: no rules are attached"
            results.task(NOT_TRIAGED, reference_to(measurement), text)
    for one in evaluated or ():
        if one.outcome is None or one.outcome.failed:
            _of_a_failure(results, measured, one)
        else:
            _of_an_outcome(results, measured, one, one.outcome, acting)
    unexpected.notice(odd, results)
    about = [reference_to(measured.activity)] if measured.activity else []
    wanted = steered_all(acting, results.made, *about)
    return [*wanted, *(triggers.reactions(acting, measured) if reacts else ())]


def _of_a_failure(results: Results, measured: Measured, one: Evaluated) -> None:
    """Ask somebody to look at what was measured, as no rule has."""
    why = _why(one)
    log.warning("rules failed", library=one.library["id"], why=why)
    for measurement in measured.measurements:
        text = f"Assess the measurement, its rules failed: {why}"
        task = results.task(FAILED, reference_to(measurement), text, "urgent")
        results.tell_teams(text, task, reason=FAILED)


def _why(one: Evaluated) -> str:
    if one.outcome is None:
        named = one.library["id"]
        if "content" not in one.library:
            return f"library {named} has no rules, or is not there"
        return f"no engine of this server runs library {named}"
    return "; ".join(problem.text for problem in one.outcome.problems)[:500]


def _of_an_outcome(
    results: Results,
    measured: Measured,
    one: Evaluated,
    outcome: RuleOutcome,
    acting: Acting,
) -> None:
    for measurement in measured.measurements:
        name = reference_to(measurement)
        findings = [found for found in outcome.findings if found.about == name]
        about = name
        if findings:
            used = [*measured.measurements, *([measured.activity or {}])]
            facts = [fact for fact in used if fact]
            about = results.impression(
                TRIAGING_RESULT, measurement, findings, one.library, facts
            )
        _take_proposals(results, outcome.resources, name, about)
    _ask_to_mend(results, measured, outcome.problems, acting)


def _take_proposals(
    results: Results, proposals: Sequence[Resource], measurement: str, about: str
) -> None:
    tasks = [
        one
        for one in proposals
        if one["resourceType"] == "Task"
        and one.get("reasonReference", {}).get("reference", measurement) == measurement
    ]
    last = about
    for one in tasks:
        last = results.proposed_task(one, about, measurement)
        if one.get("priority", "routine") != "routine":
            text = str(one.get("description", "A measurement needs to be assessed"))
            results.tell_teams(text, last, reason=_FOR_ASSESSMENT)
    for one in proposals:
        meant = [to.get("reference") for to in one.get("about", ())]
        if one["resourceType"] == "Communication" and measurement in meant:
            results.message(one, last)


def _ask_to_mend(
    results: Results,
    measured: Measured,
    problems: Sequence[RuleProblem],
    acting: Acting,
) -> None:
    """Make one task for each thing that rules miss, where nobody has been asked yet."""
    asked: dict[tuple[str, str], RuleProblem] = {}
    for problem in problems:
        if problem.code:
            where = results.problem(problem, measured.measurements[0])
            asked.setdefault(where, problem)
    for (category, focus), problem in asked.items():
        if not _is_asked_already(acting, category, focus):
            results.task(category, focus, problem.text)


def _is_asked_already(acting: Acting, category: str, focus: str) -> bool:
    over = {"completed", "cancelled", "rejected", "failed", "entered-in-error"}
    found = acting.find("Task", ("focus", focus), ("category", category))
    return any(one.get("status") not in over for one in found)


def _failure(provenance: Resource, acting: Acting) -> list[Resource]:
    """Make the task that says that a submission was not processed."""
    said = CODES["TASK_MEASUREMENT_PROCESSING_FAILED"].issue(provenance["id"])
    made: list[Resource] = []
    for measured in measured_in(acting, provenance):
        results = Results(measured, second(acting.now), acting.new_id)
        for measurement in measured.measurements:
            results.task(FAILED, reference_to(measurement), said.diagnostics, "urgent")
        made += results.made
    return made


def _patient(provenance: Resource, acting: Acting) -> str:
    for target in targets_of(provenance):
        found = acting.read(target)
        subject = (found or {}).get("subject", {}).get("reference")
        if isinstance(subject, str):
            return subject
    return ""
