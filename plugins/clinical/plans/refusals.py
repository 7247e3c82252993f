"""What is answered to what may not be done with a definition, by its type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fyr.core import Forbidden, broken_rule
from fyr.plugins.clinical.codes import CODES

if TYPE_CHECKING:
    from fyr.core import ErrorCode, FyrError, Issue, Transition


@dataclass(frozen=True, slots=True)
class Refusals:
    """The rows of the catalogue for one type."""

    #: it has no owner
    owner: ErrorCode
    #: an active one would change: state after, reference, elements
    active: ErrorCode
    #: one that has ended would change: two states, reference, elements
    ended: ErrorCode
    #: the two states that the text of that names
    named: tuple[str, str]
    #: a step that is not in the table: state before, states that may follow
    step: ErrorCode
    #: one that is no draft would be deleted, where drafts may be
    deleted: ErrorCode | None = None


REFUSALS: Final[Mapping[str, Refusals]] = {
    "PlanDefinition": Refusals(
        CODES["PLANDEFINITION_CREATE_MODIFIER_ROLE_OWNER_MANDATORY"],
        CODES["PLANDEFINITION_UPDATE_ALLOWED_FOR_USECONTEXT_STATUS"],
        CODES["PLANDEFINITION_UPDATE_ALLOWED_FOR_STATUS"],
        ("draft", "active"),
        CODES["PLANDEFINITION_UPDATE_TO_NOT_ALLOWED_STATE"],
    ),
    "ActivityDefinition": Refusals(
        CODES["ACTIVITYDEFINITION_CREATE_MODIFIER_ROLE_OWNER_MANDATORY"],
        CODES["ACTIVITYDEFINITION_UPDATE_ALLOWED_FOR_USECONTEXT_STATUS"],
        CODES["ACTIVITYDEFINITION_UPDATE_ALLOWED_FOR_STATUS"],
        ("draft", "active"),
        CODES["ACTIVITYDEFINITION_UPDATE_TO_NOT_ALLOWED_STATE"],
    ),
    "Questionnaire": Refusals(
        CODES["QUESTIONNAIRE_CREATE_MODIFIER_ROLE_OWNER_MANDATORY"],
        CODES["QUESTIONNAIRE_UPDATE_ALLOWED_FOR_USECONTEXT_STATUS"],
        CODES["QUESTIONNAIRE_NOT_ALLOWED_TO_UPDATE_IN_STATUS"],
        ("active", "retired"),
        CODES["QUESTIONNAIRE_NOT_ALLOWED_TO_UPDATE_STATUS"],
        CODES["QUESTIONNAIRE_NOT_ALLOWED_TO_DELETE_WITH_STATUS"],
    ),
}


def refused(transition: Transition) -> FyrError | Issue:
    """Tell why a step is not made: by this user, to this state, or at all."""
    machine, start, end = transition.machine, transition.start, transition.end
    if machine.between(start, end):
        return Forbidden(f"users of type {transition.user_type} do not write this")
    codes = REFUSALS.get(machine.resource_type)
    if end is None and codes is not None and codes.deleted is not None:
        return codes.deleted.error("draft", expression=(machine.path,))
    after = [one.end for one in machine.steps if one.start == start and one.end]
    may = " or ".join(dict.fromkeys(after))
    if start is None:
        text = f"a new one is {may}, not {end or 'without a status'}"
        return broken_rule(text, machine.path)
    code = REFUSALS[machine.resource_type].step
    return code.error(start, may or "it has", expression=(machine.path,))
