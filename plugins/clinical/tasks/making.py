"""What is made of a submission once rules were run: impressions, tasks and messages.

Nothing is stored here, and nothing is read that was not there a moment ago, but where it
counts what others have made meanwhile: a task is not asked for twice, a trigger fires once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog

from fyr.core import Resource, RuleOutcome, RuleProblem
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.references import reference_to
from fyr.plugins.clinical.tasks import triggers, unexpected
from fyr.plugins.clinical.tasks.results import Results
from fyr.plugins.clinical.tasks.submission import Evaluated, Measured, measured_in
from fyr.plugins.clinical.tasks.terms import TRIAGING_RESULT
from fyr.plugins.clinical.tasks.wanted import steered_all
from fyr.plugins.clinical.times import second

if TYPE_CHECKING:
    from fyr.core import Acting

log = structlog.get_logger(__name__)

_FOR_ASSESSMENT = "MeasurementForAssessment"
FAILED = f"{_FOR_ASSESSMENT}FailureInAutoProcessing"
NOT_TRIAGED = f"{_FOR_ASSESSMENT}NotTriaged"


def made(
    measured: Measured,
    evaluated: Sequence[Evaluated] | None,
    odd: Sequence[unexpected.Odd],
    reacts: bool,
    acting: Acting,
) -> list[Resource]:
    """Make impressions, tasks and messages of what rules said of one activity."""
    results = Results(measured, second(acting.now), acting.new_id)
    if evaluated is None:
        text = f"Assess the measurement: {_no_rules(measured)}"
        for measurement in measured.measurements:
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


def _no_rules(measured: Measured) -> str:
    """Say why nothing judges a measurement: a plan could have brought rules."""
    if measured.plan is None and measured.activity is not None:
        code = CODES["TASK_AUTOMATED_PROCESSING_CAREPLAN_NOT_FOUND"]
        return code.issue(reference_to(measured.activity)).diagnostics
    return "no rules are attached"


def _why(one: Evaluated) -> str:
    if one.outcome is None:
        said = CODES["TASK_AUTOMATED_PROCESSING_RULE_OUTPUT_NOT_FOUND"].issue()
        named = one.library["id"]
        why = f"no engine of this server runs library {named}"
        if "content" not in one.library:
            why = f"library {named} has no rules, or is not there"
        return f"{said.diagnostics} ({why})"
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


def failure(provenance: Resource, acting: Acting) -> list[Resource]:
    """Make the task that says that a submission was not processed."""
    said = CODES["TASK_MEASUREMENT_PROCESSING_FAILED"].issue(provenance["id"])
    made: list[Resource] = []
    for measured in measured_in(acting, provenance):
        results = Results(measured, second(acting.now), acting.new_id)
        for measurement in measured.measurements:
            results.task(FAILED, reference_to(measurement), said.diagnostics, "urgent")
        made += results.made
    return made
