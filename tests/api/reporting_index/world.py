"""A store and its reporting index, step by step."""

from collections.abc import Sequence
from typing import Any

from fyr.core import Column, Manifest, Plugin, Projection, hookimpl
from fyr.core.app import Application
from fyr.core.testing.applications import client_of
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.search import Search
from fyr.search.reporting.embedded import EmbeddedIndex
from fyr.search.reporting.reporting import Reporting
from fyr.search.reporting.verifying import Difference, verify


def reporting_of(app: Application) -> Reporting:
    (search,) = [one.target for one in app.plugins if isinstance(one.target, Search)]
    assert search.reporting is not None
    return search.reporting


def task(status: str = "ready", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Task", "status": status, "intent": "order", **more}


class World:
    """An application with an index, and what readers see of it."""

    def __init__(self, app: Application, clock: FakeClock) -> None:
        self.app = app
        self.clock = clock
        self.client: Client = client_of(app)
        self.reporting = reporting_of(app)

    def drain(self) -> None:
        self.app.worker().drain()

    def create(self, resource: dict[str, Any]) -> str:
        answer = self.client.create(resource)
        assert answer.status == 201
        return str(answer.json["id"])

    def put(self, id: str, resource: dict[str, Any]) -> None:
        assert self.client.update({**resource, "id": id}).status in (200, 201)

    def seen(self) -> dict[str, str]:
        """Status of each Task that readers see, by id."""
        index = self.reporting.index
        assert isinstance(index, EmbeddedIndex)
        return dict(index.rows('SELECT id, status FROM "Task"'))

    def differences(self) -> Sequence[Difference]:
        return [d for one in verify(self.reporting) for d in one.differences]

    def anew(self) -> str:
        return self.app.database.write(self.reporting.generations.want)


class More(Plugin):
    """Adds a column to the tasks of another plugin."""

    manifest = Manifest("Adds a column.")

    @hookimpl
    def register_projections(self):
        yield Projection("Task", (Column("note", "keyword", "groupIdentifier", "N."),))
