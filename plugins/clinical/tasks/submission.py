"""A submission as it is processed: what was measured, for which activity, by which plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fyr.core import Resource, RuleInput, RuleOutcome, RuleProblem
from fyr.plugins.clinical.extensions import EPISODE_OF_CARE, reference_of
from fyr.plugins.clinical.references import reference_to, unversioned
from fyr.plugins.clinical.tasks.libraries import history_of
from fyr.plugins.clinical.tasks.plans import by_canonical, care_plan_of
from fyr.plugins.clinical.tasks.terms import MEASUREMENTS, references_in, type_of

if TYPE_CHECKING:
    from fyr.core import Acting

#: What rules and the lack of them are told as; a category of tasks.
MISMATCH = "LibraryUseMismatchFixingNeeded"


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured for one activity in one submission."""

    measurements: Sequence[Resource]
    #: the ServiceRequest; ``None``: it is not known here
    activity: Resource | None
    plan: Resource | None
    episode: Resource | None

    @property
    def patient(self) -> str | None:
        """Whose it is: as it says itself, or as the episode does."""
        around = self.measurements[0] if self.measurements else self.activity or {}
        for one in (around.get("subject"), (self.episode or {}).get("patient")):
            found = one.get("reference") if isinstance(one, dict) else None
            if isinstance(found, str):
                return found
        return None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What rules said; ``outcome`` is ``None`` when no engine runs them."""

    library: Resource
    outcome: RuleOutcome | None


def targets_of(provenance: Resource) -> list[str]:
    """Tell the measurements that were submitted together."""
    found = [unversioned(one) for one in references_in(provenance.get("target", ()))]
    return [one for one in dict.fromkeys(found) if type_of(one) in MEASUREMENTS]


def measured_in(acting: Acting, provenance: Resource) -> Iterator[Measured]:
    """Go through the activities of a submission, each with what was measured for it."""
    by_activity: dict[str, list[Resource]] = {}
    for target in targets_of(provenance):
        measurement = acting.read(target)
        if measurement is None or measurement.get("status") == "entered-in-error":
            continue
        activity = next(iter(references_in(measurement.get("basedOn", ()))), "")
        by_activity.setdefault(unversioned(activity), []).append(measurement)
    for activity, measurements in by_activity.items():
        yield measured_for(acting, activity, measurements)


def measured_for(
    acting: Acting, activity: str, measurements: Sequence[Resource]
) -> Measured:
    """Read what is around measurements of one activity."""
    found = acting.read(activity) if type_of(activity) == "ServiceRequest" else None
    plan = care_plan_of(acting, activity) if found is not None else None
    episode = reference_of(measurements[0], EPISODE_OF_CARE)
    around = acting.read(unversioned(episode)) if episode else None
    return Measured(measurements, found, plan, around)


def rule_input(
    acting: Acting, measured: Measured, library: Resource
) -> tuple[RuleInput, list[RuleProblem]]:
    """Gather what a library is given, and what is wrong with how it asks for it."""
    activity = measured.activity or {}
    name = reference_to(activity) if activity else ""
    history, issues = history_of(
        acting,
        library,
        name,
        acting.now,
        list(map(reference_to, measured.measurements)),
    )
    problems = [RuleProblem("input", one.diagnostics, MISMATCH) for one in issues]
    asked = RuleInput(
        measured.measurements,
        acting.now,
        measured.activity,
        _goals(acting, measured.patient, name),
        list(_questionnaires(acting, measured.measurements)),
        history,
    )
    return asked, problems


def _goals(acting: Acting, patient: str | None, activity: str) -> list[Resource]:
    if patient is None or not activity:
        return []
    return [
        one
        for one in acting.find("Goal", ("patient", patient))
        if activity in map(unversioned, references_in(one.get("addresses", ())))
    ]


def _questionnaires(
    acting: Acting, measurements: Sequence[Resource]
) -> Iterator[Resource]:
    said = {one["questionnaire"] for one in measurements if "questionnaire" in one}
    for canonical in sorted(said):
        found = by_canonical(acting, canonical, "Questionnaire")
        if found is not None:
            yield found
