"""How the parts of this area join it: each gives what it has to offer, as a ``Part``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fyr.core import Consumer, Job, Machine, Operation, Timer
from fyr.plugins.clinical.settings import ClinicalSettings

if TYPE_CHECKING:
    from fyr.core import Application


class Room:
    """What the parts ask the server for, once it stands."""

    _application: Application | None = None

    def __init__(self, settings: ClinicalSettings | None = None) -> None:
        """Take the settings of the area."""
        self.settings = settings or ClinicalSettings()

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


def _nothing(room: Room) -> Iterable[Any]:
    return ()


@dataclass(frozen=True, slots=True)
class Part:
    """What a sub-package offers; each is called once, before the server stands."""

    operations: Callable[[Room], Iterable[Operation]] = _nothing
    machines: Callable[[Room], Iterable[Machine]] = _nothing
    consumers: Callable[[Room], Iterable[Consumer]] = _nothing
    jobs: Callable[[Room], Iterable[Job]] = _nothing
    timers: Callable[[Room], Iterable[Timer]] = _nothing
