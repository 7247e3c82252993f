"""GuidanceResponses: what rules have found, and what they were given.

https://hl7.org/fhir/R4/guidanceresponse.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fyr.core import OperationCall, Resource, RuleOutcome
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.references import reference_to, unversioned, url_of
from fyr.plugins.clinical.tasks.plans import definition_of
from fyr.plugins.clinical.tasks.submission import Measured
from fyr.plugins.clinical.tasks.terms import GUIDANCE_PROFILE, type_of, versioned

if TYPE_CHECKING:
    from fyr.core import Acting


@dataclass(frozen=True, slots=True)
class Around:
    """What the measurements lead to."""

    measured: Measured
    activity: Resource
    plan: Resource
    definition: Resource
    library: Resource


def guidance_of(
    call: OperationCall, acting: Acting, around: Around, outcome: RuleOutcome
) -> Resource:
    """Make the GuidanceResponse that answers a call."""
    answer: Resource = {
        "resourceType": "GuidanceResponse",
        "meta": {"profile": [GUIDANCE_PROFILE]},
        "contained": [_output(outcome, _facts(acting, around))],
        "moduleCanonical": url_of(call, reference_to(around.library)),
        "status": "success",
        "subject": around.activity["subject"],
        "outputParameters": {"reference": "#1"},
    }
    episode = ext.reference_of(around.activity, ext.EPISODE_OF_CARE)
    if episode:
        named = {"reference": unversioned(episode)}
        link = {"url": ext.GUIDANCE_EPISODE_OF_CARE, "valueReference": named}
        answer["extension"] = [link]
    return answer


def _output(outcome: RuleOutcome, facts: Iterator[str]) -> Resource:
    said: list[Mapping[str, Any]] = [outcome.output] if outcome.output else []
    said += [{"valueCodeableConcept": dict(one.code)} for one in outcome.findings]
    given = [{"valueReference": {"reference": one}} for one in facts]
    return {
        "resourceType": "Parameters",
        "id": "1",
        "parameter": [
            *({"name": "rule-output", **one} for one in said),
            *({"name": "fact", **one} for one in given),
        ],
    }


def _facts(acting: Acting, around: Around) -> Iterator[str]:
    """Name the versions of what the rules were given, whom it is about first."""
    subject = around.activity.get("subject", {}).get("reference", "")
    plan = definition_of(acting, around.plan, "PlanDefinition")
    patient = acting.read(subject) if type_of(subject) == "Patient" else None
    for one in (patient, around.activity, around.definition, plan):
        if one is not None:
            yield versioned(one)
