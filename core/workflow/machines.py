"""The machines of a deployment: checked when it starts, asked by every write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from fyr.core.errors import Forbidden, FyrError, Issue, one_error
from fyr.core.errors.catalogue import broken_rule
from fyr.core.errors.plugins import PluginError
from fyr.core.workflow.histories import keep_history
from fyr.core.workflow.machine import Effect, Guard, Machine, Refusal, Step
from fyr.core.workflow.schedules import rearm, unclear
from fyr.core.workflow.table_checks import problems
from fyr.core.workflow.transition import Transition

if TYPE_CHECKING:
    from fyr.core.context import RequestContext
    from fyr.core.interactions import Interactions
    from fyr.core.model.resource import Resource
    from fyr.core.store.port import Session
    from fyr.core.workflow.timers import Timers


class Machines:
    """All machines, by type; without any it is false, and no write pays for it."""

    def __init__(
        self, machines: Iterable[Machine] = (), timers: Timers | None = None
    ) -> None:
        """Take what all plugins registered, and where planned changes wait.

        :raises PluginError: a table makes no sense; all problems at once.
        """
        self._all = tuple(machines)
        self._timers = timers
        found = [one for machine in self._all for one in problems(machine)]
        found += [
            f"two machines are named {one.name}"
            for one, other in combinations(self._all, 2)
            if one.name == other.name
        ]
        if found:
            raise PluginError(found)
        self._by_type: dict[str, list[Machine]] = {}
        for machine in self._all:
            self._by_type.setdefault(machine.resource_type, []).append(machine)

    def __iter__(self) -> Iterator[Machine]:
        """Go through them, in the order of registration."""
        return iter(self._all)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._all)

    def named(self, name: str) -> Machine | None:
        """Find one by its name."""
        return next((one for one in self._all if one.name == name), None)

    def of(self, resource_type: str) -> Sequence[Machine]:
        """Find those of a type, whatever resources they hold for."""
        return self._by_type.get(resource_type, ())

    def about(self, resource: Resource) -> list[Machine]:
        """Find those that hold for a resource."""
        return [
            one for one in self.of(resource["resourceType"]) if one.is_about(resource)
        ]

    def transitions(
        self,
        interactions: Interactions,
        context: RequestContext,
        session: Session,
        old: Resource | None,
        new: Resource | None,
        now: int,
        together: Mapping[str, Resource | None],
    ) -> list[Transition]:
        """Tell which steps a write makes, one for each machine that holds for it.

        A machine that holds for the stored version holds for the new one, too, which must
        be of the same kind; for one that comes under it with this write, that is its
        creation.

        :raises FyrError: what is in no table, or stands in the way; all of it.
        """
        some = new if new is not None else old
        found: list[Transition] = []
        told: list[FyrError | Issue] = []
        for machine in self.of(some["resourceType"]) if some is not None else ():
            before = old if machine.is_about(old) else None
            if before is None and not machine.is_about(new):
                continue
            start = None if before is None else machine.state_of(before)
            end = None if new is None else machine.state_of(new)
            one = Transition(
                machine,
                None,
                context,
                session,
                before,
                new,
                start,
                end,
                now,
                interactions,
                together,
            )
            told += _judged(one)
            found.append(one)
        if told:
            raise one_error(told)
        return found

    def carry_out(self, transition: Transition) -> None:
        """Do what comes of a step; nothing stands in its way.

        :raises RuntimeError: an effect has changed the state.
        """
        machine, new = transition.machine, transition.new
        for effect in () if transition.keeps else _effects(transition):
            effect(transition)
        if new is not None and machine.state_of(new) != transition.end:
            raise RuntimeError(f"an effect of {machine.name} has changed the state")
        if machine.history is not None:
            keep_history(transition, machine.history)
        if machine.schedule is not None and self._timers is not None:
            rearm(transition, machine.schedule, self._timers)


def _effects(transition: Transition) -> Iterator[Effect]:
    if transition.step is not None:
        yield from transition.step.then
    if transition.new is not None:
        yield from transition.machine.then


def _judged(transition: Transition) -> list[FyrError | Issue]:
    """Find the row of a step, and tell all that stands in its way."""
    if transition.keeps:
        return []
    rows = transition.machine.between(transition.start, transition.end)
    user = transition.user_type
    allowed = (one for one in rows if user in one.by)
    transition.step = next(
        (one for one in allowed if not (one.by_hand and transition.scheduled)), None
    )
    told: list[FyrError | Issue] = []
    if transition.step is None and not _is_free(transition, rows):
        refusal = _refusal(transition, rows)
        if isinstance(refusal, Forbidden):
            return [refusal]
        told.append(refusal)
    guards: list[Guard] = list(transition.step.when) if transition.step else []
    if transition.new is not None:
        guards += transition.machine.when
    told += [problem for guard in guards for problem in guard(transition)]
    return [*told, *_strayed(transition), *unclear(transition.machine, transition)]


def _strayed(transition: Transition) -> Iterator[Issue]:
    """Tell that a resource would become one that the table does not hold for any more."""
    machine, new = transition.machine, transition.new
    if transition.old is not None and new is not None and not machine.is_about(new):
        text = f"{machine.resource_type}, by {machine.name}: it stays one of this kind"
        yield broken_rule(text, machine.resource_type)


def _is_free(transition: Transition, rows: Sequence[Step]) -> bool:
    """Whether a write needs no row."""
    if transition.end is None:
        return not transition.machine.guards_deletes
    if transition.start is None:
        return transition.user_type == "SYSTEM"
    return transition.start == transition.end and not rows


def _refusal(transition: Transition, rows: Sequence[Step]) -> FyrError | Issue:
    """Tell that a step may not be made: by nobody, or not by this user."""
    own = [one.refused for one in rows if one.refused is not None]
    refused: Refusal | None = own[0] if own else transition.machine.refused
    path = transition.machine.path
    if refused is None:
        return broken_rule(_sentence(transition, rows), path)
    if callable(refused):
        return refused(transition)
    states = (transition.start or "", transition.end or "")
    values = states if refused.values > 1 else states[1:]
    return refused.error(*values[: refused.values], expression=(path,))


def _sentence(transition: Transition, rows: Sequence[Step]) -> str:
    """Say what may not be done, and what may."""
    machine, user = transition.machine, transition.user_type
    what = f"{machine.resource_type}, by {machine.name}:"
    start, end = transition.start, transition.end
    if end is None:
        return f"{what} one that is {start} may not be deleted by {user}"
    if any(user in one.by for one in rows):
        return f"{what} from {start} to {end} is done by hand, and not planned"
    if rows:
        steps = f"from {start} to {end}" if start is not None else f"as {end}"
        return f"{what} {steps} is no step of {user}"
    after = {one.end for one in machine.after(start) if user in one.by and one.end}
    may = ", ".join(sorted(after)) or "nothing"
    if start is None:
        return (
            f"{what} a new one may not be {end or 'without a state'}; it may be {may}"
        )
    return f"{what} there is no step from {start} to {end}; after it may come {may}"
