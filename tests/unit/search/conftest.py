"""A store to search in, on both databases, and what fills and asks it."""

import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from fyr.config.settings import Settings
from fyr.core.context import RequestContext
from fyr.core.declarations.services import ALL_TYPE_INTERACTIONS, Service, TypeRules
from fyr.core.model import json
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.searching import SearchPage
from fyr.core.store.open import open_database
from fyr.core.store.port import Database, NewVersion, Stored
from fyr.core.store.resources import ResourceStore
from fyr.core.store.schema import INDEX_TABLES
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.postgres import Postgres, available, running_postgres
from fyr.core.testing.servers import absent
from fyr.search import provide_search
from fyr.search.engine import Engine

EVERYTHING = Service(
    "fhir",
    "fhir",
    "all types",
    {kind: TypeRules(ALL_TYPE_INTERACTIONS) for kind in RESOURCE_TYPES},
)


class Library:
    """Resources in a database, and the search over them."""

    def __init__(self, database: Database, engine: Engine, clock: FakeClock) -> None:
        self.database = database
        self.engine = engine
        self.clock = clock
        self.resources = ResourceStore(database)
        self.service = EVERYTHING

    def put(self, *resources: dict[str, Any], updated: int = 0) -> list[Stored]:
        new = [
            NewVersion(
                one["resourceType"],
                one["id"],
                1,
                updated,
                "PUT",
                json.dump(one),
                index=self.engine.index(one),
            )
            for one in resources
        ]
        return self.database.write(lambda session: self.resources.put(session, new))

    def change(self, resource: dict[str, Any] | None, stored: Stored) -> Stored:
        """Store a next version; without a resource a deletion."""
        new = NewVersion(
            stored.type,
            stored.id,
            stored.version + 1,
            stored.updated + 1,
            "PUT" if resource else "DELETE",
            json.dump(resource) if resource else None,
            stored.pid,
            self.engine.index(resource) if resource else {},
        )
        return self.database.write(lambda s: self.resources.put(s, [new]))[0]

    def page(self, kind: str | None, query: str = "", **more: Any) -> SearchPage:
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
        context = self.context(kind, params=tuple(pairs), **more)
        return self.database.read(
            lambda session: self.engine.search(session, context, kind, pairs)
        )

    def context(self, kind: str | None, **more: Any) -> RequestContext:
        interaction = "search-type" if kind else "search-system"
        base = "http://here/fhir"
        return RequestContext(self.service, interaction, kind, base_url=base, **more)

    def offer(self, kind: str, parameters: set[str]) -> None:
        """Have a service that searches one type by these parameters only."""
        rules = TypeRules(ALL_TYPE_INTERACTIONS, frozenset(parameters))
        self.service = Service("small", "small", "small", {kind: rules})

    def ids(self, kind: str | None, query: str = "", **more: Any) -> list[str]:
        return [one.id for one in self.page(kind, query, **more).matches]

    def matched(self, kind: str, query: str) -> list[str]:
        """Tell which of all resources of a type meet criteria, each by itself."""
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
        matcher = self.database.read(
            lambda session: self.engine.matcher(
                session, self.context(kind), kind, pairs
            )
        )
        found = []
        for stored in self.page(kind, "_count=200").matches:
            with self.engine.candidate(stored) as candidate:
                if matcher.meets(candidate):
                    found.append(stored.id)
        return found

    def all_pages(self, kind: str, query: str) -> Iterator[Sequence[Stored]]:
        page = self.page(kind, query)
        yield page.matches
        while page.next is not None:
            page = self.page(kind, f"{query}&_cursor={page.next}")
            yield page.matches

    def empty(self) -> None:
        tables = ["resource", "version", "outbox", *INDEX_TABLES]

        def work(session: Any) -> None:
            for table in tables:
                session.run(f"DELETE FROM {table}")

        self.database.write(work)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgres]:
    if available():
        absent("postgresql", available())
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    url = "sqlite://"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").new_database()
    opened = open_database(settings(tmp_path_factory.mktemp("data"), url))
    yield opened
    opened.close()


@pytest.fixture
def library(database: Database, tmp_path: Path) -> Library:
    clock = FakeClock()
    engine = provide_search(settings(tmp_path, "sqlite://"), database, clock, [])
    made = Library(database, engine, clock)
    made.empty()
    return made


def settings(folder: Path, url: str) -> Settings:
    return Settings(data_dir=folder, store={"url": url})
