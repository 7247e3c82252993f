"""Whether a change that is planned ahead can come about, and for whom.

Fyr itself carries it out, whom the table lets do more than people: so who plans it must
be one who could bring it about by hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from fyr.core.errors.catalogue import broken_rule

if TYPE_CHECKING:
    from fyr.core.errors import Issue
    from fyr.core.workflow.machine import Machine
    from fyr.core.workflow.schedules import Planned
    from fyr.core.workflow.transition import Transition

#: A planned state with the one that the plan has before it.
_Pair: TypeAlias = "tuple[str, Planned]"


def impossible(
    machine: Machine,
    transition: Transition,
    before: Sequence[Planned],
    after: Sequence[Planned],
) -> Iterator[Issue]:
    """Tell planned states that this write plans and that its user could not bring about.

    What was planned before is asked about again where something else now comes before it.

    :param before: what the stored version plans, in order; ``after``: what the new one does.
    """
    if [one.entry for one in before] == [one.entry for one in after]:
        return
    known = [
        (start, one.entry) for start, one in _pairs(transition.start or "", before)
    ]
    for start, one in _pairs(transition.end or "", after):
        if (start, one.entry) in known:
            continue
        if not may_come(machine, start, one.status, transition.user_type):
            # What a system creates comes from somewhere, with what is left of its plan.
            loaded = transition.old is None and transition.user_type == "SYSTEM"
            if not loaded or not _leads_to(machine, one.status):
                yield broken_rule(_sentence(transition, start, one), one.path)


def may_come(machine: Machine, start: str, end: str, user: str) -> bool:
    """Whether a user could have a resource come to a state as planned.

    A step that is in the table decides. Where there is none, others may be made by hand
    before the time has come, as far as the user may make them.
    """
    direct = machine.between(start, end) if start != end else []
    if direct:
        return any(user in one.by and not one.by_hand for one in direct)
    reached = _reached(machine, start, user)
    return any(
        one.end == end and one.start != end and one.start in reached
        for one in machine.steps
        if user in one.by and not one.by_hand
    )


def _pairs(state: str, plan: Sequence[Planned]) -> Iterator[_Pair]:
    for one in plan:
        if one.status:
            yield state, one
            state = one.status


def _reached(machine: Machine, start: str, user: str) -> set[str]:
    """Tell the states that a user can bring a resource to, the present one included."""
    reached = {start}
    while True:
        more = {
            one.end
            for one in machine.steps
            if one.start in reached and one.end is not None and user in one.by
        } - reached
        if not more:
            return reached
        reached |= more


def _leads_to(machine: Machine, state: str) -> bool:
    """Whether a row leads to a state from another one."""
    return any(
        one.end == state and one.start not in (None, state) and not one.by_hand
        for one in machine.steps
    )


def _sentence(transition: Transition, start: str, one: Planned) -> str:
    machine, user = transition.machine, transition.user_type
    what = f"{machine.resource_type}, by {machine.name}:"
    if not any(
        row.end == one.status and row.start is not None and user in row.by
        for row in machine.steps
    ):
        return f"{what} {one.status} is no step of {user}"
    rows = machine.between(start, one.status)
    if any(user in row.by for row in rows):
        return f"{what} from {start} to {one.status} is done by hand, and not planned"
    if rows:
        return f"{what} from {start} to {one.status} is no step of {user}"
    return f"{what} nothing that {user} may do leads from {start} to {one.status}"
