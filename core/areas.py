"""An API area: a plugin that declares services as data and is made of parts.

In the folder of its package stand ``services``, ``search_parameters`` and ``projections``
(:mod:`fyr.core.declarations.toml_files`, :mod:`fyr.core.declarations.projections`) and
the catalogue of its errors, ``errors.toml``. What a service does beyond keeping
resources is a sub-package, which gives what it has to offer as a :class:`Part`. Parts
ask the server for things by the :class:`Room` of their area, once it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from fyr.core.declarations.operations import Operation
from fyr.core.declarations.projections import Projection, projections_in
from fyr.core.declarations.toml_files import search_parameters_in, services_in
from fyr.core.errors.catalogue import ErrorCode, read_error_codes
from fyr.core.events import Consumer
from fyr.core.hooks.markers import hookimpl
from fyr.core.hooks.plugin import Plugin, PluginSettings
from fyr.core.jobs import Job
from fyr.core.workflow import Machine, Timer

if TYPE_CHECKING:
    from fyr.core.declarations.services import Service
    from fyr.core.hooks.application import Application
    from fyr.core.model.resource import Resource

S = TypeVar("S", bound=PluginSettings)


class Room(Generic[S]):
    """What the parts of an area share: its settings, and the server once it stands."""

    _application: Application | None = None

    def __init__(self, settings: S) -> None:
        """Take the settings of the area."""
        self.settings = settings

    def open(self, application: Application) -> None:
        """Take the application, before its first request."""
        self._application = application

    @property
    def application(self) -> Application:
        """The application that the area is a part of.

        :raises RuntimeError: it is asked for while the server is being put together.
        """
        if self._application is None:
            raise RuntimeError("the server is not put together yet")
        return self._application


def _nothing(room: Room[Any]) -> Iterable[Any]:
    return ()


@dataclass(frozen=True, slots=True)
class Part:
    """What a sub-package offers; each is called once, before the server stands."""

    operations: Callable[[Room[Any]], Iterable[Operation]] = _nothing
    machines: Callable[[Room[Any]], Iterable[Machine]] = _nothing
    consumers: Callable[[Room[Any]], Iterable[Consumer]] = _nothing
    jobs: Callable[[Room[Any]], Iterable[Job]] = _nothing
    timers: Callable[[Room[Any]], Iterable[Timer]] = _nothing


class Area(Plugin):
    """The plugin of an area: what it declares, and what its parts offer, joined."""

    #: import path of the package with its folders
    package: ClassVar[str]
    #: a sub-package a line
    parts: ClassVar[tuple[Part, ...]] = ()

    def __init__(self, settings: PluginSettings) -> None:
        """Make the room that the parts share."""
        super().__init__(settings)
        own = self.manifest.settings
        self.room: Room[Any] = Room(own.model_validate(settings.model_dump()))

    def start(self, application: Application) -> None:
        """Keep what the parts ask for."""
        self.room.open(application)

    @hookimpl
    def register_services(self) -> Iterable[Service]:
        """Offer the services of this area."""
        codes = {**read_error_codes("fyr.core"), **read_error_codes(self.package)}
        return services_in(files(self.package) / "services", codes)

    @hookimpl
    def register_search_parameters(self) -> Iterable[Resource]:
        """Offer what the services of this area are searched by beyond R4."""
        return search_parameters_in(files(self.package) / "search_parameters")

    @hookimpl
    def register_projections(self) -> Iterable[Projection]:
        """Offer what reports may know of the resources of this area beyond R4."""
        return projections_in(files(self.package) / "projections")

    @hookimpl
    def register_error_codes(self) -> Iterable[ErrorCode]:
        """Offer what this area refuses, by published name."""
        return read_error_codes(self.package).values()

    @hookimpl
    def register_operations(self) -> Iterable[Operation]:
        """Offer the operations of the parts."""
        return [one for part in self.parts for one in part.operations(self.room)]

    @hookimpl
    def register_machines(self) -> Iterable[Machine]:
        """Offer the tables of states of the parts."""
        return [one for part in self.parts for one in part.machines(self.room)]

    @hookimpl
    def register_consumers(self) -> Iterable[Consumer]:
        """Offer what the parts do after a change."""
        return [one for part in self.parts for one in part.consumers(self.room)]

    @hookimpl
    def register_jobs(self) -> Iterable[Job]:
        """Offer the jobs of the parts."""
        return [one for part in self.parts for one in part.jobs(self.room)]

    @hookimpl
    def register_timers(self) -> Iterable[Timer]:
        """Offer the timers of the parts."""
        return [one for part in self.parts for one in part.timers(self.room)]
