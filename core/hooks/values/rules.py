"""What is given to a rule engine, and what it answers: the words of ``evaluate_rules``.

A ``Library`` (https://hl7.org/fhir/R4/library.html) holds the source of rules in
``content``, in one form or several; an engine is a plugin that can run one of them.
Engines propose and store nothing: who asks decides what becomes of a proposal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from fyr.core.model.resource import Resource


@dataclass(frozen=True, slots=True)
class RuleLimits:
    """How much one evaluation may take, whatever the source says."""

    #: seconds of one processor
    seconds: float = 2.0
    #: bytes of memory beyond what the input takes
    memory: int = 64 * 1024 * 1024
    #: characters of the source
    source: int = 100_000
    #: findings, and likewise proposed resources and problems
    answers: int = 200


@dataclass(frozen=True, slots=True)
class RuleInput:
    """What rules judge: measurements, and what is known around them.

    Resources as they are stored, references relative; not to be altered.
    """

    #: Observation, QuestionnaireResponse and Media that were submitted together
    measurements: Sequence[Resource]
    #: the time that the rules take for the present one, with its time zone
    now: datetime
    #: the activity that was measured for, with its reference ranges
    service_request: Resource | None = None
    #: goals of the patient that concern the activity
    goals: Sequence[Resource] = ()
    #: what questionnaire responses answer
    questionnaires: Sequence[Resource] = ()
    #: earlier resources by ``Library.dataRequirement``: its id, else its type
    history: Mapping[str, Sequence[Resource]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """What a rule says of a measurement.

    ``code`` is a CodeableConcept. ``link_id``, ``value`` (an answer's ``value[x]`` with
    its key) and ``significance`` (the extension that was met) tell what of a
    questionnaire response led to it.
    """

    #: ``Observation/17``: the measurement that it is about
    about: str
    code: Mapping[str, object]
    #: the rule that found it, by the name that its author gave
    rule: str = ""
    #: why, in words for whoever reads the finding
    basis: str = ""
    link_id: str = ""
    value: Mapping[str, object] = field(default_factory=dict)
    significance: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """What hinders the rules, as somebody can mend it.

    ``source``: the rules are faulty. ``input``: something they need is missing or does
    not fit. ``limit``: they take too long, or too much. ``code`` says which, in a word
    that the asker knows; empty for none.
    """

    kind: Literal["source", "input", "limit"]
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What came of the rules.

    With a problem of kind ``source`` or ``limit`` there is nothing else.
    """

    findings: Sequence[RuleFinding] = ()
    #: Task and Communication without what the asker knows better (subject, episode, care
    #: teams). ``Task.reasonReference`` and ``Communication.about`` name the measurement;
    #: ``Task.focus`` is there when it is something else than what was found
    resources: Sequence[Resource] = ()
    problems: Sequence[RuleProblem] = ()
    #: what the rules calculate, as ``value[x]`` with its key; empty: nothing
    output: Mapping[str, object] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether the rules could not be run to their end."""
        return any(one.kind != "input" for one in self.problems)
