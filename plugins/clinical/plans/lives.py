"""The lives of definitions, as tables: draft, active, retired.

http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-plandefinition: a draft is
edited freely; what is active is used, so only its use context changes until it is retired;
whoever uses what is retired keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from fyr.core import Machine, Step, refuses
from fyr.plugins.clinical.plans import rules
from fyr.plugins.clinical.plans.activation import (
    is_no_circle,
    knows_related_actions,
    leads_to_active_definitions,
    triggers_can_fire,
)
from fyr.plugins.clinical.plans.canonicals import leads_where_it_may
from fyr.plugins.clinical.plans.images import has_fitting_images
from fyr.plugins.clinical.plans.refusals import REFUSALS, refused
from fyr.plugins.clinical.plans.use_contexts import is_used_where_it_may

if TYPE_CHECKING:
    from fyr.plugins.clinical.parts import Room
    from fyr.plugins.clinical.plans.rules import Effect, Guard

#: State before and after, guards, effects, a sentence.
Row = tuple[
    "str | None",
    "str | None",
    "tuple[Guard, ...]",
    "tuple[Effect, ...]",
    str,
]
NAMES = {
    "PlanDefinition": "plan-definition",
    "ActivityDefinition": "activity-definition",
    "Questionnaire": "questionnaire",
}
#: Who writes definitions; access control knows for which organizations.
AUTHORS = frozenset({"PRACTITIONER", "SYSTEM"})
_PLAN = tuple(
    map(
        rules.unless_loaded,
        (
            leads_to_active_definitions,
            is_no_circle,
            knows_related_actions,
            triggers_can_fire,
        ),
    )
)
#: What holds of every version; what it was brought with may stay.
_EVERY: Mapping[str, tuple[Guard, ...]] = {
    kind: (is_used_where_it_may, leads_where_it_may)
    for kind in ("PlanDefinition", "ActivityDefinition")
}


def machines(room: Room) -> Iterator[Machine]:
    """Make the tables of plans, activities and questionnaires."""
    environment = room.settings.environment
    yield _machine("PlanDefinition", environment, active=_PLAN)
    yield _machine(
        "ActivityDefinition", environment, draft=(rules.shares_as_its_code_says,)
    )
    yield _machine(
        "Questionnaire", environment, draft=(has_fitting_images,), deleted=True
    )


def _machine(
    kind: str,
    environment: str,
    *,
    draft: tuple[Guard, ...] = (),
    active: tuple[Guard, ...] = (),
    deleted: bool = False,
) -> Machine:
    """Make the table of a type.

    :param draft: what else must hold while it can be edited.
    :param active: what else must hold when it becomes active.
    :param deleted: whether a draft may be deleted.
    """
    codes = REFUSALS[kind]
    steps = [one.name for one in (codes.step, codes.deleted) if one is not None]
    owned = refuses(codes.owner.name)(rules.unless_loaded(rules.has_owner))
    edited = (owned, *map(rules.unless_loaded, draft))
    first = (*edited, rules.unless_loaded(rules.is_only_draft))
    stays = refuses(codes.active.name, codes.ended.name)
    kept = (stays(partial(rules.keeps_all_but_use_context)),)
    ready = (*edited, *active)
    approved, keeping = (rules.approved,), (rules.keeps_approval,)
    rows: list[Row] = [
        (None, "draft", first, keeping, "One begins, or is cloned."),
        (None, "active", ready, approved, "One that is ready is brought."),
        ("draft", "draft", edited, keeping, "It is edited freely."),
        ("draft", "active", ready, approved, "It is published."),
        ("draft", "retired", edited, keeping, "It is given up unused."),
        ("active", "active", kept, keeping, "Where it is used changes."),
        ("active", "retired", kept, keeping, "Nothing new is begun with it."),
        ("retired", "retired", kept, keeping, "Where it is found changes."),
    ]
    if deleted:
        rows.append(("draft", None, (), (), "A draft is thrown away."))
    return Machine(
        NAMES[kind],
        kind,
        tuple(
            Step(start, end, by=AUTHORS, when=when, then=then, what=what)
            for start, end, when, then, what in rows
        ),
        refused=refuses("GENERAL_VALIDATION_ERROR", *steps)(partial(refused)),
        when=_EVERY.get(kind, (is_used_where_it_may,)),
        then=(rules.identified(environment),),
        what=(
            "A definition is edited while it is a draft, used while it is active, and"
            " kept for those who use it when it is retired."
        ),
    )
