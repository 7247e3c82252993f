"""What holds of every Task, whatever its state: IG 8.0.0, profile ehealth-task.

A system that does not claim the profile keeps tasks of its own kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fyr.core import FyrError, Issue, Resource, Transition, broken_rule, refuses
from fyr.core.context import SYSTEM
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.extensions import (
    RESTRICTION_CATEGORY,
    TASK_CATEGORY,
    TASK_EPISODE_OF_CARE,
    TASK_RESPONSIBLE,
    extensions,
    reference_of,
    value,
)
from fyr.plugins.clinical.tasks.terms import (
    HANDOVER_ROLES,
    TASK_PROFILE,
    claims,
    codes_in,
)

_ALONE = "None"
#: What says who has a part in a handover.
_HANDOVER = ("extension", "focus", "input")


def is_held(transition: Transition) -> bool:
    """Whether the rules of the profile hold: for people, and for who claims it."""
    new = transition.new or {}
    return transition.user_type != "SYSTEM" or claims(new, TASK_PROFILE)


@refuses("GENERAL_VALIDATION_ERROR")
def category_and_responsible(transition: Transition) -> Iterator[Issue]:
    """Ask for one category, somebody responsible, and a restriction category.

    Not asked again where no extension changes: older tasks can go on. Fyr itself makes
    tasks of episodes that have no team: they are found by their episode.
    """
    new, old = transition.new, transition.old
    if new is None or not is_held(transition):
        return
    if transition.context.principal is SYSTEM:
        return
    if old is not None and old.get("extension") == new.get("extension"):
        return
    for url, what, most in (
        (TASK_CATEGORY, "one category", 1),
        (TASK_RESPONSIBLE, "somebody responsible", None),
        (RESTRICTION_CATEGORY, "a restriction category", None),
    ):
        number = len(list(extensions(new, url)))
        if number == 0 or (most is not None and number > most):
            text = f"a task has {what}: the extension {url}"
            yield broken_rule(text, "Task.extension")


@refuses("TASK_RESTRICTION_CATEGORY_NONE_CANT_BE_COMBINED")
def none_stands_alone(transition: Transition) -> Iterator[Issue]:
    """Refuse the restriction category None beside others."""
    given = codes_in(transition.new or {}, RESTRICTION_CATEGORY)
    if len(given) > 1 and any(_ALONE in one for one in given):
        code = CODES["TASK_RESTRICTION_CATEGORY_NONE_CANT_BE_COMBINED"]
        yield code.issue(expression=("Task.extension",))


@refuses("TASK_RESTRICTION_CATEGORY_NOT_MATCHING_TOKEN_CONTEXT")
def restrictions_are_covered(transition: Transition) -> Iterator[FyrError]:
    """Let people set restriction categories only that their token reaches."""
    new, old = transition.new or {}, transition.old or {}
    if transition.user_type == "SYSTEM":
        return
    given = codes_in(new, RESTRICTION_CATEGORY)
    if given == codes_in(old, RESTRICTION_CATEGORY):
        return
    held = transition.context.principal.privileges
    for category in sorted({code for one in given for code in one}):
        wanted = {f"RestrictionCategory{mark}{category}" for mark in "$."}
        if wanted.isdisjoint(held):
            code = CODES["TASK_RESTRICTION_CATEGORY_NOT_MATCHING_TOKEN_CONTEXT"]
            yield code.error(category, expression=("Task.extension",))


@refuses("GENERAL_VALIDATION_ERROR")
def handover_names_its_teams(transition: Transition) -> Iterator[Issue]:
    """Ask a negotiation of a handover what is handed over, and who has a part in it.

    Each care team that ``input`` gives a role is one that is responsible for the task.
    """
    new, old = transition.new or {}, transition.old or {}
    if not is_held(transition) or not _is_handover(new):
        return
    if {name: new.get(name) for name in _HANDOVER} == {
        name: old.get(name) for name in _HANDOVER
    }:
        return
    if "reference" not in new.get("focus", {}):
        text = "a handover has a focus: the resource that is handed over"
        yield broken_rule(text, "Task.focus")
    responsible = {
        value(one).get("reference") for one in extensions(new, TASK_RESPONSIBLE)
    }
    for place, given in enumerate(new.get("input", ())):
        systems = {one.get("system") for one in given["type"].get("coding", ())}
        team = given.get("valueReference", {}).get("reference")
        if HANDOVER_ROLES in systems and team not in responsible:
            text = "who has a role in a handover is a care team that is responsible"
            yield broken_rule(text, f"Task.input[{place}].value")


def _is_handover(task: Resource) -> bool:
    return any("HandoverNegotiation" in one for one in codes_in(task, TASK_CATEGORY))


@refuses("TASK_FOR_NOT_SET")
def is_for_the_patient_of_the_episode(
    transition: Transition,
) -> Iterable[FyrError | Issue]:
    """Hold ``for`` against the patient of the episode of care.

    Not asked again where neither of the two changes: older tasks can go on.
    """
    new, old = transition.new or {}, transition.old or {}
    episode = reference_of(new, TASK_EPISODE_OF_CARE)
    if episode is None:
        return
    subject = new.get("for", {}).get("reference")
    before = old.get("for", {}).get("reference")
    if old and subject == before and episode == reference_of(old, TASK_EPISODE_OF_CARE):
        return
    found = transition.read(episode)
    patient = (found or {}).get("patient", {}).get("reference")
    # Of an episode that is not known here, a system says nothing that could be wrong.
    unknown = patient is None and (subject or transition.user_type == "SYSTEM")
    if not unknown and (subject is None or patient != subject):
        yield CODES["TASK_FOR_NOT_SET"].issue(expression=("Task.for",))
