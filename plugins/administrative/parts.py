"""How the parts of this area join it: each gives what it has to offer, as a ``Part``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from fyr.core import Issue, PluginSettings, areas
from fyr.core.context import SYSTEM

if TYPE_CHECKING:
    from fyr.core import RequestContext, Resource, Session


Room: TypeAlias = areas.Room[PluginSettings]


@dataclass(frozen=True, slots=True)
class Write:
    """A version that somebody is about to store, for the rules of its type."""

    room: Room
    context: RequestContext
    session: Session
    #: the stored version; ``None`` for a create
    old: Resource | None
    #: what will be stored, to be completed in place
    new: Resource


def is_held_at(write: Write, service: str) -> bool:
    """Whether the rules of a service hold for a write.

    For all who use the service, and for people wherever they write. Systems bring what
    is in registers in by the service that has everything, and Fyr itself anywhere.
    """
    principal = write.context.principal
    if principal is SYSTEM:
        return False
    return principal.user_type != "SYSTEM" or write.context.service.name == service


#: Completes a write, and tells all that is wrong with it.
Rule = Callable[[Write], Iterable[Issue]]


@dataclass(frozen=True, slots=True)
class Part(areas.Part):
    """What a sub-package offers; beside all else rules of what is stored."""

    #: by resource type, for every way in, before the version is stored
    rules: Mapping[str, Rule] = field(default_factory=dict)
