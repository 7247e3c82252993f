"""The states of Task and ClinicalImpression.

The guide names the codes and a few steps of them; the rows of Task are what a care team
would expect, and proposed (``docs/decisions/workflow.md``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fyr.core import Issue, Machine, Step, Transition, broken_rule, refuses
from fyr.plugins.clinical.parts import Room
from fyr.plugins.clinical.tasks import impression_rules, task_rules

STAFF = frozenset({"PRACTITIONER", "SYSTEM"})
#: Those who are responsible for a task may be citizens; they take it, do it, or say no.
DOERS = frozenset({"PRACTITIONER", "PATIENT", "SYSTEM"})

#: from -> to, for those who work for the care team
_BY_STAFF = """
draft: requested ready cancelled entered-in-error
requested: ready on-hold cancelled failed entered-in-error
received: requested ready on-hold cancelled failed entered-in-error
accepted: requested ready on-hold cancelled failed entered-in-error
rejected: requested cancelled entered-in-error
ready: requested accepted in-progress on-hold completed cancelled failed entered-in-error
in-progress: requested ready on-hold cancelled failed entered-in-error
on-hold: requested ready accepted in-progress completed cancelled failed entered-in-error
failed: requested cancelled entered-in-error
completed: in-progress entered-in-error
cancelled: requested entered-in-error
"""
#: and for citizens as well, where access control lets them at the task at all
_BY_DOERS = """
requested: received accepted rejected in-progress completed
received: accepted rejected in-progress completed
accepted: rejected in-progress completed
in-progress: completed
"""
_NEW = ("draft", "requested", "ready", "in-progress")


def _steps() -> Iterator[Step]:
    for state in _NEW:
        yield Step(None, state, by=STAFF)
    for table, by in ((_BY_STAFF, STAFF), (_BY_DOERS, DOERS)):
        for line in table.strip().splitlines():
            start, _, ends = line.partition(":")
            for end in ends.split():
                yield Step(start, end, by=by)


TASK = Machine(
    "task",
    "Task",
    tuple(_steps()),
    when=(
        task_rules.category_and_responsible,
        task_rules.none_stands_alone,
        task_rules.restrictions_are_covered,
        task_rules.handover_names_its_teams,
        task_rules.is_for_the_patient_of_the_episode,
    ),
    what=(
        "A task is asked for, taken by somebody, done or given back. One that is"
        " completed or cancelled can be taken up again, as things go in a ward; one"
        " entered in error cannot. Proposed: the guide has no matrix."
    ),
)


@refuses("GENERAL_VALIDATION_ERROR")
def _in_the_operation(transition: Transition) -> Iterator[Issue]:
    """Let citizens make impressions by the operation about validity only."""
    if not impression_rules.is_of_the_operation(transition.acting.cause):
        yield broken_rule("citizens make no clinical impressions", "ClinicalImpression")


IMPRESSION = Machine(
    "clinical-impression",
    "ClinicalImpression",
    (
        Step(None, "in-progress", by=STAFF),
        Step(None, "completed", by=STAFF),
        Step(None, "completed", by=frozenset({"PATIENT"}), when=(_in_the_operation,)),
        Step("in-progress", "completed", by=STAFF),
        Step("in-progress", "entered-in-error", by=STAFF),
        Step("completed", "entered-in-error", by=STAFF),
        Step(
            "completed",
            "entered-in-error",
            by=frozenset({"PATIENT"}),
            when=(_in_the_operation,),
        ),
    ),
    when=(
        impression_rules.validity_by_the_operation,
        impression_rules.validity_stays_as_it_is,
        impression_rules.items_with_and_without_version,
        impression_rules.one_care_plan,
        impression_rules.views_are_approved_for_answers,
    ),
    then=(impression_rules.dated, impression_rules.assessed_by_an_organization),
    what="What was found, by rules or by a practitioner. Citizens write none.",
)


def machines(room: Room) -> Iterable[Machine]:
    """Offer the machines of tasks and clinical impressions."""
    return (TASK, IMPRESSION)
