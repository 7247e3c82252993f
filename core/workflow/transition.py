"""A step on its way: what guards are asked about and effects work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fyr.core.context import RequestContext
    from fyr.core.interactions import Interactions
    from fyr.core.interactions.acting import Acting
    from fyr.core.model.resource import Resource
    from fyr.core.store.port import Session
    from fyr.core.workflow.machine import Machine, Step


#: Where the state of a request says that Fyr carries out a schedule: ``fired``, or
#: ``dropped`` for the removal of an entry that was refused.
BY_ITSELF = "fyr.schedule"


@dataclass(eq=False)
class Transition:
    """One resource that passes, or stays in, a state of a machine, in a transaction."""

    machine: Machine
    #: the row; ``None`` for a write that needs none
    step: Step | None
    context: RequestContext
    session: Session
    #: the stored version, not to be altered; ``None`` for a create
    old: Resource | None
    #: what will be stored; guards do not alter it; ``None`` for a delete
    new: Resource | None
    #: state before; ``None`` for a create
    start: str | None
    #: state after; ``None`` for a delete
    end: str | None
    #: moment of the write, in milliseconds since 1970, UTC
    now: int
    interactions: Interactions = field(repr=False)
    #: all that the same call stores, by reference, itself included: ``None`` a delete
    together: Mapping[str, Resource | None] = field(default_factory=dict, repr=False)

    @property
    def moved(self) -> bool:
        """Whether the state is another one than before."""
        return self.start != self.end

    @property
    def user_type(self) -> str:
        """Who does it: ``SYSTEM``, ``PRACTITIONER``, ``PATIENT`` or ``SSL``."""
        return self.context.principal.user_type

    @property
    def scheduled(self) -> bool:
        """Whether it was planned ahead, and is carried out now."""
        return self.context.state.get(BY_ITSELF) == "fired"

    @property
    def by_itself(self) -> bool:
        """Whether Fyr carries out a schedule, whatever comes of it."""
        return BY_ITSELF in self.context.state

    @property
    def keeps(self) -> bool:
        """Whether only what the server keeps changes, which nobody is asked about."""
        return self.context.state.get(BY_ITSELF) == "dropped"

    @property
    def resource(self) -> Resource:
        """What will be stored, or what is deleted."""
        found = self.new if self.new is not None else self.old
        if found is None:
            raise ValueError("a transition of nothing")
        return found

    @property
    def reference(self) -> str:
        """Type and id: ``CarePlan/1``."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"

    @cached_property
    def acting(self) -> Acting:
        """Reads, finds and stores as Fyr itself, in the transaction."""
        from fyr.core.interactions.acting import Acting

        within = self.interactions.within(self.session)
        return Acting(within, self.session, cause=self.context)

    def read(self, reference: str) -> Resource | None:
        """Read a resource as it will be: by what is stored together with this one.

        :param reference: relative; ``None`` is the answer for what is not there.
        """
        if reference in self.together:
            return self.together[reference]
        return self.acting.read(reference)
