"""Runs rules on measurements: triage first, then the rules in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from fyr.core import (
    FyrError,
    Resource,
    RuleFinding,
    RuleInput,
    RuleLimits,
    RuleOutcome,
    RuleProblem,
)
from fyr.core.model import fhirpath
from fyr.core.model.resource import FhirDecimal
from fyr.plugins.rules import answers, ranges
from fyr.plugins.rules.language import MessageProposal, Rule, Rules, TaskProposal
from fyr.plugins.rules.limits import RuleBudget
from fyr.plugins.rules.source import RESERVED, FaultySource, read
from fyr.plugins.rules.terms import (
    COLOURS,
    MESSAGE_CATEGORIES,
    TASK_CATEGORIES,
    TASK_CATEGORY,
    codes_of,
    finding_code,
    reference_to,
)

_MISMATCH = "LibraryUseMismatchFixingNeeded"
#: What the categories begin with that ask for ranges, and for what they are relative to.
_RANGES = "Ref"
#: Types of values that can be calculated, and what they are in FHIR.
_OUTPUTS: Mapping[type, str] = {
    bool: "valueBoolean",
    int: "valueInteger",
    Decimal: "valueDecimal",
    FhirDecimal: "valueDecimal",
    str: "valueString",
}
_NOT_TRIAGED = frozenset(
    {"no-effective-answer-significance", "no-answer-significance-defined"}
)


class Faulty(Exception):
    """A rule cannot be evaluated; says which and why."""


def run(library: Resource, asked: RuleInput, limits: RuleLimits) -> RuleOutcome:
    """Run a library of this language; whatever is wrong is told as a problem."""
    try:
        return _Run(read(library, limits), asked, limits).outcome()
    except (FaultySource, Faulty) as faulty:
        return _failed("source", str(faulty))
    except (TooCostly, RecursionError, MemoryError):
        return _failed("limit", "the rules take too long, or too much")


def _failed(kind: Any, text: str) -> RuleOutcome:
    return RuleOutcome(problems=[RuleProblem(kind, text)])


class TooCostly(Exception):
    """A limit has been reached."""


class _Run:
    def __init__(self, rules: Rules, asked: RuleInput, limits: RuleLimits) -> None:
        self._rules = rules
        self._asked = asked
        self._most = limits.answers
        self._budget = RuleBudget(limits)
        self._findings: list[RuleFinding] = []
        self._problems: list[RuleProblem] = []
        self._resources: list[Resource] = []
        self._around = self._known()

    def outcome(self) -> RuleOutcome:
        touched = False
        try:
            for measurement in self._asked.measurements:
                before = len(self._problems)
                touched = self._triage(measurement) or touched
                lacks = any(
                    one.code.startswith(_RANGES) for one in self._problems[before:]
                )
                touched = self._apply_rules(measurement) or touched
                self._propose_assessment(measurement, lacks)
        except FyrError as error:
            raise _as_ours(error, "triage") from None
        output = self._output()
        if not touched and self._rules.output is None:
            text = "nothing in these rules is about what was measured"
            self._take([RuleProblem("input", text, _MISMATCH)])
        return RuleOutcome(self._findings, self._resources, self._problems, output)

    def _output(self) -> dict[str, Any]:
        """Calculate the value of the whole, if one is asked for."""
        expression, measurements = self._rules.output, self._asked.measurements
        if expression is None or not measurements:
            return {}
        variables = self._variables(measurements[0])
        found = self._evaluate(expression, measurements[0], variables, "output")
        if len(found) > 1 or any(type(one) not in _OUTPUTS for one in found):
            kinds = ", ".join(sorted(set(_OUTPUTS.values())))
            raise Faulty(f"output: one value is to be calculated, of {kinds}")
        return {_OUTPUTS[type(one)]: one for one in found}

    def _known(self) -> dict[str, Any]:
        history = self._asked.history
        every = [one for found in history.values() for one in found]
        named = {name: list(found) for name, found in history.items()}
        return {
            **{name: found for name, found in named.items() if name not in RESERVED},
            "measurements": list(self._asked.measurements),
            "serviceRequest": self._asked.service_request or [],
            "goals": list(self._asked.goals),
            "questionnaires": list(self._asked.questionnaires),
            "history": every,
        }

    def _triage(self, measurement: Resource) -> bool:
        """Make the built-in judgements; tell whether there was one to make."""
        kind, asked = measurement.get("resourceType"), self._asked
        needs = self._rules.needs
        judged = False
        if kind == "Observation" and "reference-ranges" in self._rules.triage:
            judged = True
            self._take(
                ranges.judge(measurement, asked, needs.reference_ranges, self._budget)
            )
        if kind == "QuestionnaireResponse":
            if "answer-significance" in self._rules.triage:
                judged = True
                self._take(answers.judge(measurement, asked, self._budget))
            self._take(self._missing_answers(measurement))
        return judged

    def _missing_answers(self, response: Resource) -> Iterable[RuleProblem]:
        wanted = self._rules.needs.answers
        given = answers.answers_of(response, self._budget) if wanted else {}
        for link in wanted:
            if not given.get(link):
                text = f"{reference_to(response)}: question {link} has no answer"
                yield RuleProblem("input", text, "RequiredQuestionAnswerMissing")

    def _apply_rules(self, measurement: Resource) -> bool:
        ours = [one for one in self._rules.rules if _is_about(one, measurement)]
        if not ours:
            return False
        variables = self._variables(measurement)
        for rule in ours:
            if self._evaluate(rule.when, measurement, variables, rule.name) == [True]:
                self._say(rule, measurement)
        return True

    def _variables(self, measurement: Resource) -> dict[str, Any]:
        variables = {**self._around, "value": _value_of(measurement)}
        for name, expression in self._rules.define.items():
            variables[name] = self._select(
                expression, measurement, variables, f"define.{name}"
            )
        return variables

    def _evaluate(
        self, expression: str, on: Resource, variables: Mapping[str, Any], name: str
    ) -> list[Any]:
        return [one.value for one in self._select(expression, on, variables, name)]

    def _select(
        self, expression: str, on: Resource, variables: Mapping[str, Any], name: str
    ) -> list[fhirpath.Node]:
        try:
            return fhirpath.select(
                expression,
                on,
                variables=variables,
                now=self._asked.now,
                budget=self._budget,
            )
        except FyrError as error:
            raise _as_ours(error, name) from None

    def _say(self, rule: Rule, measurement: Resource) -> None:
        about = reference_to(measurement)
        if rule.finding is not None:
            code, why = finding_code(rule.finding), f"by the rule {rule.name}"
            self._take([RuleFinding(about, code, rule.name, why)])
        if rule.task is not None:
            self._propose(_task(rule.task, about, self._asked.service_request))
        if rule.message is not None:
            self._propose(_message(rule.message, about))

    def _propose_assessment(self, measurement: Resource, lacks: bool) -> None:
        """Propose the task to assess what was found, where no rule proposes one.

        :param lacks: whether it could not be held against all ranges: what is no alarm
            then has been judged by nobody.
        """
        about = reference_to(measurement)
        if any(
            one["resourceType"] == "Task"
            and one["reasonReference"]["reference"] == about
            for one in self._resources
        ):
            return
        said = {
            code
            for one in self._findings
            if one.about == about
            for _, code in codes_of(one.code)
        }
        worst = next(
            (c for c in COLOURS if said & {c, f"{c}-question-answer"}),
            None,
        )
        if lacks and worst in (None, "green"):
            self._propose(_untriaged("NotTriaged", "its ranges do not fit", about))
        elif worst is not None:
            priority = self._rules.tasks.get(worst)  # type: ignore[call-overload]
            if priority is not None:
                text = f"Assess the measurement: {worst}"
                self._propose(
                    _task(TaskProposal(priority=priority, description=text), about)
                )
        elif "data-absent" in said:
            self._propose(_untriaged("AbsentValue", "it has no value", about))
        elif said & _NOT_TRIAGED:
            self._propose(_untriaged("NotTriaged", "no answer has a meaning", about))

    def _take(self, said: Iterable[RuleFinding | RuleProblem]) -> None:
        for one in said:
            if isinstance(one, RuleFinding):
                self._findings.append(one)
            else:
                self._problems.append(one)
            self._refuse_many(max(len(self._findings), len(self._problems)))

    def _propose(self, resource: Resource) -> None:
        self._resources.append(resource)
        self._refuse_many(len(self._resources))

    def _refuse_many(self, number: int) -> None:
        if number > self._most:
            raise TooCostly


def _as_ours(error: FyrError, name: str) -> Exception:
    if any(issue.code == "too-costly" for issue in error.issues):
        return TooCostly()
    return Faulty(f"{name}: {error}")


def _is_about(rule: Rule, measurement: Resource) -> bool:
    if measurement.get("resourceType") not in rule.about:
        return False
    if rule.code is None:
        return True
    system, _, code = rule.code.partition("|")
    return (system, code) in codes_of(measurement.get("code"))


def _value_of(measurement: Resource) -> Any:
    quantity = measurement.get("valueQuantity")
    number = quantity.get("value") if isinstance(quantity, dict) else None
    return number if isinstance(number, int | Decimal) else []


def _task(
    proposed: TaskProposal, about: str, activity: Resource | None = None
) -> Resource:
    category = {"coding": [{"system": TASK_CATEGORIES, "code": proposed.category}]}
    task: Resource = {
        "resourceType": "Task",
        "extension": [{"url": TASK_CATEGORY, "valueCodeableConcept": category}],
        "priority": proposed.priority,
        "description": proposed.description,
        "reasonReference": {"reference": about},
    }
    if proposed.focus == "measurement":
        task["focus"] = {"reference": about}
    elif proposed.focus == "activity" and activity is not None:
        task["focus"] = {"reference": reference_to(activity)}
    return task


def _untriaged(kind: str, why: str, about: str) -> Resource:
    category = f"MeasurementForAssessment{kind}"
    text = f"Assess the measurement: {why}"
    return _task(TaskProposal(category=category, description=text), about)


def _message(proposed: MessageProposal, about: str) -> Resource:
    code = {"system": MESSAGE_CATEGORIES, "code": proposed.category}
    recipient = "Patient" if proposed.to == "patient" else "CareTeam"
    return {
        "resourceType": "Communication",
        "category": [{"coding": [code]}],
        "recipient": [{"type": recipient}],
        "payload": [{"contentString": proposed.text}],
        "about": [{"reference": about}],
    }
