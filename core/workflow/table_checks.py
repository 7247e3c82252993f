"""What makes no sense in a table, told when the server starts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from fyr.core.errors.catalogue import ErrorCode
from fyr.core.model.definitions import RESOURCE_TYPES, definition
from fyr.core.workflow.machine import ANYBODY, MOST_VALUES, Machine, Step


def problems(machine: Machine) -> Iterator[str]:
    """Tell all that is wrong with a machine, a sentence each."""
    name = f"machine {machine.name}"
    if not machine.name.replace("-", "").isalnum() or not machine.name.islower():
        yield f"{name}: a name is made of small letters, digits and -"
    if machine.resource_type not in RESOURCE_TYPES:
        yield f"{name}: no such type: {machine.resource_type}"
        return
    for problem in (
        *_steps(machine),
        *_states(machine),
        *_unreachable(machine),
        *_refusals(machine),
        *_planned(machine),
    ):
        yield f"{name}: {problem}"


def _steps(machine: Machine) -> Iterator[str]:
    if not any(step.start is None for step in machine.steps):
        yield "no step creates anything (start=None)"
    for step in machine.steps:
        if step.start is None and step.end is None:
            yield "a step has neither start nor end"
        unknown = step.by - ANYBODY
        if unknown or not step.by:
            users = ", ".join(sorted(unknown)) or "nobody"
            yield f"{_named(step)} is by {users}: no such user"
    for one, other in combinations(machine.steps, 2):
        if (one.start, one.end) == (other.start, other.end) and one.by & other.by:
            users = ", ".join(sorted(one.by & other.by))
            yield f"{_named(one)} is there twice for {users}"


def _states(machine: Machine) -> Iterator[str]:
    """Tell states that the type does not have, where its codes are known."""
    if not isinstance(machine.state, str):
        return
    kind = definition(machine.resource_type)
    *above, last = machine.state.split(".")
    for name in above:
        element = kind.elements.get(name)
        if element is None or element.children is None:
            yield f"{machine.resource_type} has no element {machine.state}"
            return
        kind = element.children
    element = kind.elements.get(last)
    if element is None or element.is_list:
        yield f"{machine.resource_type} has no single element {machine.state}"
        return
    for state in machine.states if element.codes else ():
        if element.codes and state not in element.codes:
            yield f"{state} is no code of {machine.path}"


def _unreachable(machine: Machine) -> Iterator[str]:
    """Tell states that no row leads to, from a create on.

    Systems create in any state, but a table that counts on it says so by a row.
    """
    reached: set[str | None] = {None}
    while True:
        more = {one.end for one in machine.steps if one.start in reached} - reached
        if not more:
            break
        reached |= more
    for state in machine.states:
        if state not in reached:
            yield f"nothing leads to {state}"


def _planned(machine: Machine) -> Iterator[str]:
    """Tell a schedule that could not be carried out."""
    schedule = machine.schedule
    if schedule is None or not schedule.status:
        return
    if machine.write is None and not isinstance(machine.state, str):
        yield "states are planned ahead, and nobody says how to write one (write)"


def _refusals(machine: Machine) -> Iterator[str]:
    for refused in (machine.refused, *(one.refused for one in machine.steps)):
        if isinstance(refused, ErrorCode) and refused.values > MOST_VALUES:
            yield (
                f"{refused.name} takes {refused.values} values: give a function that"
                " makes the error"
            )


def _named(step: Step) -> str:
    return f"the step from {step.start} to {step.end}"
