"""The rule language, as the models that a source is read with.

Its JSON schema in ``docs/rules.md`` is made from here.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from fyr.core import FyrError
from fyr.core.model import fhirpath

#: ``Library.content.contentType`` of a source in this language.
CONTENT_TYPE = "application/fyr-rules+json"

MAX_RULES = 200
MAX_EXPRESSION = 1000

Colour = Literal["red", "yellow", "green"]
Priority = Literal["routine", "urgent", "asap", "stat"]
MeasurementType = Literal["Observation", "QuestionnaireResponse", "Media"]
#: What a rule can say itself; those of answers and ranges come from ``triage``.
Finding = Literal[
    "red",
    "yellow",
    "green",
    "data-absent",
    "deviation-found",
    "no-deviation-found",
    "insufficient-data",
]


def _is_fhirpath(expression: str) -> str:
    try:
        fhirpath.check(expression)
    except FyrError as error:
        raise ValueError(str(error)) from None
    return expression


Expression = Annotated[
    str,
    Field(min_length=1, max_length=MAX_EXPRESSION),
    AfterValidator(_is_fhirpath),
]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Token = Annotated[str, Field(pattern=r"^[^|\s]{1,200}\|[^|\s]{1,100}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TaskProposal(_Model):
    """A Task for the care team."""

    category: Name = Field(
        "MeasurementForAssessment",
        description="Code of http://ehealth.sundhed.dk/cs/task-category.",
    )
    priority: Priority = "routine"
    description: Text
    focus: Literal["impression", "measurement", "activity"] = Field(
        "impression",
        description="What the team is to act on: what was found (the measurement where"
        " nothing was), what was measured, or the ServiceRequest.",
    )


class MessageProposal(_Model):
    """A message to the citizen or to the care team."""

    to: Literal["patient", "care-team"]
    category: Literal["notification", "advice"] = "notification"
    text: Text


class Rule(_Model):
    """If the condition holds of a measurement, say so and propose."""

    name: Name = Field(description="Findings and problems name it.")
    about: list[MeasurementType] = Field(
        default_factory=lambda: list[MeasurementType](
            ["Observation", "QuestionnaireResponse", "Media"]
        ),
        min_length=1,
        max_length=3,
        description="Types of the measurements that are looked at.",
    )
    code: Token | None = Field(
        None, description="`system|code` that an Observation must have."
    )
    when: Expression = Field(
        description="FHIRPath on the measurement; the rule holds when it is true."
    )
    finding: Finding | None = Field(None, description="What is then found.")
    task: TaskProposal | None = Field(None, description="A task to propose.")
    message: MessageProposal | None = Field(None, description="A message to propose.")


class Needs(_Model):
    """What must be there for the rules to say anything; else it is told as a problem."""

    reference_ranges: bool = Field(
        False, alias="referenceRanges", description="An alarm range for each value."
    )
    answers: list[Annotated[str, Field(min_length=1, max_length=200)]] = Field(
        default_factory=list,
        max_length=100,
        description="`linkId` of questions that must be answered.",
    )


def _tasks() -> dict[Colour, Priority]:
    return {"red": "urgent", "yellow": "routine"}


class Rules(_Model):
    """A source: what is judged by the server's own triage, and rules besides."""

    language: Literal["fyr-rules/1"]
    triage: list[Literal["reference-ranges", "answer-significance"]] = Field(
        default_factory=list,
        max_length=2,
        description="Built-in judgements to make.",
    )
    tasks: dict[Colour, Priority] = Field(
        default_factory=_tasks,
        description="Worst colour found -> priority of a task to assess it; a colour"
        " that is not named gives none.",
    )
    needs: Needs = Field(default_factory=Needs)
    define: dict[Name, Expression] = Field(
        default_factory=dict,
        max_length=50,
        description="Names for expressions, `%name` in those after it and in rules.",
    )
    rules: list[Rule] = Field(default_factory=list, max_length=MAX_RULES)
    output: Expression | None = Field(
        None,
        description="FHIRPath of one value to calculate, on the first measurement; for"
        " `Library/$evaluate`.",
    )
