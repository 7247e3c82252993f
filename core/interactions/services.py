"""The services of a deployment, and the base URLs under which clients know them.

References to resources of any of them are kept relative, so that a base URL can change:
https://hl7.org/fhir/R4/references.html#literal
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from fyr.config.load import ConfigError
from fyr.config.neighbours import neighbour
from fyr.config.settings import ServiceSettings
from fyr.core.declarations.services import (
    ALL_SYSTEM_INTERACTIONS,
    ALL_TYPE_INTERACTIONS,
    ROUTES,
    Service,
    TypeRules,
)
from fyr.core.model.definitions import RESOURCE_TYPES

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core.hooks.pipeline import Hooks

#: Name and path of the service that has everything.
DEFAULT = "fhir"
_LOCAL = re.compile(
    r"([A-Z][A-Za-z]{1,63})/[A-Za-z0-9\-.]{1,64}(/_history/[A-Za-z0-9\-.]{1,64})?"
)


class Services:
    """All services that this deployment serves, the one that has everything first."""

    def __init__(
        self, services: Iterable[Service], elsewhere: Iterable[Service] = ()
    ) -> None:
        """Take them.

        :param elsewhere: those that other deployments serve, from the same store.
        :raises ConfigError: two have one name or path; all clashes at once.
        """
        self._all = tuple(services)
        self._known = (*self._all, *elsewhere)
        named = [one for one in self._known if one.name == DEFAULT]
        #: the service that has everything, also where it is not served: for what is
        #: done by the deployment itself
        self.everything = named[0] if named else everything()
        problems = [
            f"services: two have the {what} {value!r}"
            for what, values in (
                ("name", [one.name for one in self._all]),
                ("path", [one.path for one in self._all]),
            )
            for value, count in Counter(values).items()
            if count > 1
        ]
        if problems:
            raise ConfigError(problems)
        self._bases = lru_cache(maxsize=256)(self._bases_beside)
        self._home = lru_cache(maxsize=4096)(self._base_of)

    def __iter__(self) -> Iterator[Service]:
        """Go through them."""
        return iter(self._all)

    @property
    def default(self) -> Service:
        """The service that has everything; if it is switched off, the first one."""
        return self._all[0]

    def own(self, url: str, service: Service, base_url: str) -> str | None:
        """Tell the relative form (``Patient/1``) of a URL; ``None`` for a stranger's.

        :param service: the one that the request came to, under ``base_url``.
        """
        for base in self._bases(service.name, base_url):
            if url.startswith(base) and (match := _LOCAL.fullmatch(url, len(base))):
                return match[0] if match[1] in RESOURCE_TYPES else None
        return None

    def base_of(self, resource_type: str, service: Service, base_url: str) -> str:
        """Tell the base URL that references to a type are written out with.

        That of this service if it can be read there, else that of the service which
        says that the type is at home there, else that of the first which has it.

        :return: empty when no service has it.
        """
        return self._home(resource_type, service.name, base_url)

    def home_of(self, resource_type: str, root: str, preferred: str = "") -> str:
        """Tell the base URL that a type is read under, where no request tells it.

        Empty when no service has it.

        :param root: what stands before the paths of services without a public URL.
        :param preferred: name of the service to take, if it has the type.
        """
        for one in self._known:
            if one.name == preferred and resource_type in one.types:
                return _base(one, root)
        home = self._home_service(resource_type)
        return _base(home, root) if home else ""

    def _named(self, name: str) -> Service:
        """Find a service; routes of plugins are asked for at none, beside all of them."""
        known = (*self._known, self.everything)
        return next((one for one in known if one.name == name), ROUTES)

    def _base_of(self, resource_type: str, name: str, base_url: str) -> str:
        service = self._named(name)
        if service.offers(resource_type, "read"):
            return base_url
        home = self._home_service(resource_type)
        return _base(home, _root(service, base_url)) if home else ""

    def _home_service(self, resource_type: str) -> Service | None:
        """Find the service that a type is at home in."""
        having = [one for one in self._known if resource_type in one.types]
        return min(having, key=lambda one: _rank(one, resource_type), default=None)

    def _bases_beside(self, name: str, base_url: str) -> tuple[str, ...]:
        """Tell the bases of all services, with a slash, as one host shows them."""
        root = _root(self._named(name), base_url)
        bases = {f"{base_url}/"} | {f"{_base(one, root)}/" for one in self._known}
        bases |= {f"{base}/" for one in self._known for base in one.former_bases}
        return tuple(sorted(bases - {"/"}))


def registered_services(settings: Settings, hooks: Hooks) -> Services:
    """Join the service that has everything with those that plugins offer.

    :raises ConfigError: the configuration names one that nobody offers, or two clash.
    """
    offered = [everything()]
    if hooks.register_services:
        offered += hooks.register_services(settings=settings)
    problems = _unknown(settings, [one.name for one in offered])
    problems += [problem for one in offered for problem in _histories(one)]
    served = [_configured(one, settings) for one in offered if _enabled(one, settings)]
    if not served:
        problems.append("services: none is enabled")
    if problems:
        raise ConfigError(problems)
    named = [one for one in offered if _is_elsewhere(one, settings)]
    return Services(served, [_configured(one, settings) for one in named])


def everything() -> Service:
    """Make the service that offers all that FHIR has for all types."""
    rules = TypeRules(ALL_TYPE_INTERACTIONS)
    types = {name: rules for name in sorted(RESOURCE_TYPES)}
    return Service(
        DEFAULT,
        DEFAULT,
        "Fyr",
        types,
        ALL_SYSTEM_INTERACTIONS,
        documentation="Everything that this server has.",
    )


def _enabled(service: Service, settings: Settings) -> bool:
    table = settings.services.get(service.name)
    return table is None or table.enabled


def _is_elsewhere(service: Service, settings: Settings) -> bool:
    """Whether a service that is not served here has a URL of its own."""
    table = settings.services.get(service.name)
    return table is not None and not table.enabled and bool(table.public_url)


def _configured(service: Service, settings: Settings) -> Service:
    """Give a service its public URL: its own setting, what it says, the server's."""
    table = settings.services.get(service.name, ServiceSettings())
    path = table.path or service.path.strip("/")
    base = table.public_url or service.public_base
    if not base and settings.server.public_url:
        base = f"{settings.server.public_url.rstrip('/')}/{path}"
    absolute = table.absolute_references
    return replace(
        service,
        path=path,
        public_base=base.rstrip("/"),
        former_bases=tuple(url.rstrip("/") for url in table.former_urls),
        absolute_references=(
            service.absolute_references if absolute is None else absolute
        ),
    )


def _unknown(settings: Settings, names: list[str]) -> list[str]:
    told = []
    for name in settings.services:
        if name not in names:
            hint = neighbour(name, names)
            told.append(f"services.{name}: no such service{hint}")
    return told


def _rank(service: Service, resource_type: str) -> tuple[bool, bool, bool]:
    """Order services by how well a reference to a type leads to them, the best first.

    Those that have it for something else than to be read come late, and the one that
    has everything comes last.
    """
    home = service.types[resource_type].home
    reads = service.offers(resource_type, "read")
    return service.name == DEFAULT, not home, not reads


def _histories(service: Service) -> Iterator[str]:
    """Tell the histories that would show what a service does not have.

    Only the newest version of a resource tells whose it is, and a history has them all.
    """
    limited = {kind for kind, one in service.types.items() if one.only_profiles}
    for kind in sorted(limited):
        names = service.types[kind].interactions & {"history-instance", "history-type"}
        if names:
            yield f"services.{service.name}: {kind} is limited to profiles: no history"
    if limited and "history-system" in service.system_interactions:
        yield f"services.{service.name}: types are limited to profiles: no history"


def _root(service: Service, base_url: str) -> str:
    """Tell what stands before the paths of services; empty when it cannot be told."""
    return base_url.removesuffix(f"/{service.path}") if base_url else ""


def _base(service: Service, root: str) -> str:
    return service.public_base or f"{root}/{service.path}"
