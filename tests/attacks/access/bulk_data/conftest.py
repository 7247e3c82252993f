"""A server with data of two teams, and whoever asks for them in bulk."""

from collections.abc import Iterator
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.clock import FakeClock

from .asking import At

TYPES = ("EpisodeOfCare", "Patient", "Observation", "Organization", "Group")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, kit: Any) -> Iterator[Application]:
    options = {
        "server": {"public_url": kit.root},
        "security": {"mode": "closed"},
        "plugins": {
            "enabled": [
                *["search", "administrative", "clinical", "access_control", "bulk_data"]
            ]
        },
        "plugin": {"bulk_data": {"most_active": 1000}},
    }
    with application(
        settings_with(options, tmp_path_factory.mktemp("bulk")), FakeClock()
    ) as built:
        writer = kit.who("SYSTEM", may=" ".join(f"{one}.*" for one in TYPES))
        client = client_of(built).acting_as(writer)
        for n in (1, 2):
            for one in kit.resources(n):
                if one["resourceType"] in TYPES:
                    assert client.update(one).status == 201
        yield built


@pytest.fixture
def at(app: Application) -> Any:
    return lambda service, principal: At(app, service, principal)
