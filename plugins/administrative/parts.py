"""How the parts of this area join it: each gives what it has to offer, as a ``Part``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fyr.core import Consumer, Issue, Machine, Operation

if TYPE_CHECKING:
    from fyr.core import Application, RequestContext, Resource, Session


class Room:
    """What the parts ask the server for, once it stands."""

    _application: Application | None = None

    def open(self, application: Application) -> None:
        """Take the application, before its first request."""
        self._application = application

    @property
    def application(self) -> Application:
        """The application that this area is a part of.

        :raises RuntimeError: it is asked for while the server is being put together.
        """
        if self._application is None:
            raise RuntimeError("the server is not put together yet")
        return self._application


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


#: Completes a write, and tells all that is wrong with it.
Rule = Callable[[Write], Iterable[Issue]]


def _nothing(room: Room) -> Iterable[Any]:
    return ()


@dataclass(frozen=True, slots=True)
class Part:
    """What a sub-package offers; each is called once, before the server stands."""

    operations: Callable[[Room], Iterable[Operation]] = _nothing
    machines: Callable[[Room], Iterable[Machine]] = _nothing
    consumers: Callable[[Room], Iterable[Consumer]] = _nothing
    #: by resource type, for every way in, before the version is stored
    rules: Mapping[str, Rule] = field(default_factory=dict)
