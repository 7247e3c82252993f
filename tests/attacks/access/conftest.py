"""Two servers with the same patients, one that decides and one that does not.

Team A treats patient 1 in episode 1, team B patient 2 in episode 2; each episode has a
care plan of a further team with a service request, and what was measured for it. An attack
is made on both servers: one that fails on the open one too would prove nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.context import Principal
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock

from .names import (
    ROOT,
    concept,
    extension,
    to,
    url,
    who,
)
from .resources import resources


@dataclass
class World:
    """A server, and clients of its services."""

    built: Application
    everything: Client = field(init=False)

    def __post_init__(self) -> None:
        wsgi = client_of(self.built).wsgi
        system = Principal("SYSTEM", "test", frozenset(PRIVILEGES))
        self.everything = Client(wsgi, "/fhir").acting_as(system)

    def at(self, service: str, principal: Principal | None = None) -> Client:
        client = Client(self.everything.wsgi, f"/{service}/fhir")
        return client.acting_as(principal) if principal else client

    def put(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Store a resource as the system does."""
        answer = self.everything.update(resource)
        assert answer.status in (200, 201), answer.body
        return dict(answer.json)


def privileges() -> Iterator[str]:
    from fyr.core.model.definitions import RESOURCE_TYPES

    yield from (f"{kind}.*" for kind in RESOURCE_TYPES)
    yield "FHIR.transaction"


PRIVILEGES = tuple(privileges())


def _world(
    folder: Any, *plugins: str, url: str = "sqlite://", **more: Any
) -> Iterator[World]:
    options = {
        **more,
        "store": {"url": url},
        "server": {"public_url": ROOT},
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["search", "administrative", "clinical", *plugins]},
    }
    with application(settings_with(options, folder), FakeClock()) as built:
        world = World(built)
        for n in (1, 2):
            for one in resources(n):
                world.put(one)
        yield world


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server that decides."""
    yield from _world(tmp_path_factory.mktemp("guarded"), "access_control")


@pytest.fixture(scope="session")
def unguarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same without decisions."""
    yield from _world(tmp_path_factory.mktemp("unguarded"))


@pytest.fixture(params=["guarded", "unguarded"])
def world(request: pytest.FixtureRequest) -> World:
    """Each of them in turn."""
    made: World = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def decides(world: World) -> bool:
    """Whether this is the server on which an attack has to fail."""
    return any(one.name == "access_control" for one in world.built.plugins)


@pytest.fixture(scope="session")
def kit() -> Any:
    """What tests make principals and resources with."""
    return Kit()


class Kit:
    """Functions of this module, for tests that cannot import it."""

    url = staticmethod(url)
    to = staticmethod(to)
    who = staticmethod(who)
    extension = staticmethod(extension)
    concept = staticmethod(concept)
    resources = staticmethod(resources)
    root = ROOT
    world = staticmethod(_world)

    @staticmethod
    def nurse(team: str, episode: int = 0, *more: str, may: str = "") -> Principal:
        """Make a nurse of a team, in an episode if one is chosen."""
        chosen = [f"EpisodeOfCare/{episode}"] if episode else []
        return who(
            "PRACTITIONER",
            "Practitioner/1",
            f"CareTeam/{team}",
            *chosen,
            *more,
            may=may,
        )

    @staticmethod
    def citizen(n: int, *more: str, may: str = "") -> Principal:
        """Make a citizen."""
        return who("PATIENT", f"Patient/{n}", f"Patient/{n}", *more, may=may)

    @staticmethod
    def without(principal: Principal, key: str) -> Principal:
        """Take a context away."""
        context = {k: v for k, v in principal.context.items() if k != key}
        return replace(principal, context=context)


__all__ = ["Answer", "Kit", "World"]
