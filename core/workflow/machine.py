"""A state machine as a table: a row a step.

The table is the rule: writes are held against it, its pages and drawings are made of it,
and tests walk it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from fyr.core.errors import FyrError, Issue
from fyr.core.errors.catalogue import ErrorCode
from fyr.core.workflow.keeping import History, Schedule

if TYPE_CHECKING:
    from fyr.core.model.resource import Resource
    from fyr.core.workflow.transition import Transition

#: Tells all that stands in the way of a step; nothing: it may be made.
Guard: TypeAlias = "Callable[[Transition], Iterable[FyrError | Issue]]"
#: Does what comes of a step, in its transaction; may edit ``transition.new``.
Effect: TypeAlias = "Callable[[Transition], None]"
#: The answer to what may not be done. A row of the catalogue is filled with the state
#: that was to be reached, or with both states, as its text has room for.
Refusal: TypeAlias = "ErrorCode | Callable[[Transition], FyrError | Issue]"

#: A guard, as it was given.
_Guard = TypeVar("_Guard", bound="Callable[..., object]")

#: All types of users (:attr:`fyr.core.Principal.user_type`).
ANYBODY: Set[str] = frozenset({"PATIENT", "PRACTITIONER", "SSL", "SYSTEM"})
#: Values that a row of the catalogue is filled with.
MOST_VALUES = 2

#: Attribute of a guard that holds what it declares.
_DECLARED = "refuses"


def refuses(*codes: str) -> Callable[[_Guard], _Guard]:
    """Declare what a guard refuses with, for pages of machines.

    Goes for what ``refused`` of a row or a machine calls, too. What a guard tells in a
    sentence only has no code.

    :param codes: names of the error catalogue.
    """

    def declare(guard: _Guard) -> _Guard:
        setattr(guard, _DECLARED, codes)
        return guard

    return declare


def codes_of(guard: Callable[..., object]) -> tuple[str, ...]:
    """Tell what a guard declares that it refuses with."""
    return tuple(getattr(guard, _DECLARED, ()))


@dataclass(frozen=True, slots=True)
class Step:
    """A row: from one state to another, by whom, if what holds, with what effect.

    Two rows with the same states are for different users.
    """

    #: ``None``: the resource is created
    start: str | None
    #: ``None``: the resource is deleted
    end: str | None
    #: types of users who may do it
    by: Set[str] = ANYBODY
    #: all are asked, and all that they tell is told
    when: tuple[Guard, ...] = ()
    #: done in this order, once nothing stands in the way of any part of the write
    then: tuple[Effect, ...] = ()
    #: the answer to who is not named in ``by``; ``None``: that of the machine
    refused: Refusal | None = None
    #: a sentence for the documentation
    what: str = ""
    #: whether nobody plans it ahead: it is refused where a schedule carries it out
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """The table of one type, or of those of its resources that ``holds`` picks.

    A write that leaves the state as it is needs no row; where there are rows from a state
    to itself, one of them must let it pass. The same is true of deletes (``end=None``).

    Who is no user, or a system, may create a resource in any state, as data comes from
    somewhere; a row that names ``SYSTEM`` has its guards and effects then too. After
    that the table holds for everybody.
    """

    #: unique in the deployment: ``care-plan``
    name: str
    resource_type: str
    steps: tuple[Step, ...]
    #: path of the state in the resource, or what tells it (empty: none)
    state: str | Callable[[Resource], str] = "status"
    #: writes the state, where ``state`` is no path and changes are planned ahead
    write: Callable[[Resource, str], None] | None = None
    #: picks the resources that it is about; of a stored one, the stored version decides
    holds: Callable[[Resource], bool] | None = None
    #: the answer to a step that is not in the table; ``None``: a rule that is broken
    refused: Refusal | None = None
    history: History | None = None
    schedule: Schedule | None = None
    #: guards of every write, that leaves the state as it is too; not of deletes
    when: tuple[Guard, ...] = ()
    #: effects of every write, after those of the step
    then: tuple[Effect, ...] = ()
    #: a sentence or more for the documentation
    what: str = ""

    @property
    def path(self) -> str:
        """FHIRPath of the state, for answers: ``CarePlan.status``."""
        if isinstance(self.state, str):
            return f"{self.resource_type}.{self.state}"
        return self.resource_type

    @property
    def states(self) -> list[str]:
        """All states of the table, in the order in which rows name them."""
        named = [state for step in self.steps for state in (step.start, step.end)]
        return list(dict.fromkeys(state for state in named if state is not None))

    def state_of(self, resource: Resource) -> str:
        """Tell the state of a resource; empty: it has none."""
        if not isinstance(self.state, str):
            return self.state(resource)
        value: object = resource
        for name in self.state.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value if isinstance(value, str) else ""

    def set_state(self, resource: Resource, state: str) -> None:
        """Bring a resource into a state.

        :raises TypeError: nobody has said how (``write``).
        """
        if self.write is not None:
            self.write(resource, state)
            return
        if not isinstance(self.state, str):
            raise TypeError(f"{self.name} cannot write a state")
        *above, last = self.state.split(".")
        for name in above:
            resource = resource.setdefault(name, {})
        resource[last] = state

    def is_about(self, resource: Resource | None) -> bool:
        """Whether a resource of the type is one of those that it holds for."""
        return resource is not None and (self.holds is None or self.holds(resource))

    def between(self, start: str | None, end: str | None) -> list[Step]:
        """Find the rows from one state to another."""
        return [one for one in self.steps if one.start == start and one.end == end]

    def after(self, start: str | None) -> Iterator[Step]:
        """Go through the rows that leave a state for another one."""
        return (one for one in self.steps if one.start == start and one.end != start)

    @property
    def guards_deletes(self) -> bool:
        """Whether it has rows that say who may delete what."""
        return any(one.end is None for one in self.steps)
