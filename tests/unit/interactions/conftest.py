"""Interactions on a real store, found again by a search engine that knows identifiers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from fyr.config.settings import Settings
from fyr.core.blobs.open import open_blobs
from fyr.core.clock import Clock, utc_now
from fyr.core.context import RequestContext
from fyr.core.declarations.operations import Operations
from fyr.core.declarations.services import ALL_TYPE_INTERACTIONS, Service, TypeRules
from fyr.core.errors import NotSupported
from fyr.core.hooks.pipeline import Hooks
from fyr.core.interactions import Incoming, Interactions
from fyr.core.interactions.answer import Answer
from fyr.core.interactions.services import registered_services
from fyr.core.interactions.validate import VALIDATE
from fyr.core.model import json
from fyr.core.searching import (
    Compartment,
    Judge,
    SearchAsked,
    SearchPage,
    SearchParameter,
)
from fyr.core.store.open import open_database
from fyr.core.store.port import IndexRows, Session, Stored
from fyr.core.store.resources import ResourceStore
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.postgres import Postgres, available, running_postgres
from fyr.core.testing.servers import absent

BASE = "https://fyr.example.org/fhir"
_IDENTIFIER = 1


class IdentifierSearch:
    """Finds by ``identifier``, as core asks of a search engine, and by nothing else."""

    def __init__(self, resources: ResourceStore) -> None:
        self.resources = resources

    def index(self, resource: dict[str, Any]) -> IndexRows:
        values = [one.get("value") for one in resource.get("identifier", [])]
        return {"idx_token": [(_IDENTIFIER, value, 0) for value in values if value]}

    def begin(self, session: Session, *, again: bool) -> None:
        pass

    def end(self) -> None:
        pass

    def confirm(self, session: Session) -> None:
        pass

    def edition(self) -> object:
        return 1

    def generation(self, resource_type: str) -> int:
        return 1

    def parameters(self, resource_type: str) -> Sequence[SearchParameter]:
        return [SearchParameter("identifier", "token", "")]

    def compartments(self) -> Mapping[str, Compartment]:
        return {}

    def search(
        self,
        session: Session,
        context: RequestContext,
        resource_type: str | None,
        params: Sequence[tuple[str, str]],
        judge: Judge | None = None,
    ) -> SearchPage:
        found = self._find(session, resource_type, params)
        return SearchPage(found, total=len(found), used=params)

    def criteria(
        self,
        session: Session,
        context: RequestContext,
        resource_type: str,
        query: str,
        judge: Judge | None = None,
    ) -> Sequence[Stored]:
        if judge is not None:
            touched = {(resource_type, name) for name, _ in parse_qsl(query)}
            judge(SearchAsked((resource_type,), frozenset(touched)))
        return self._find(session, resource_type, parse_qsl(query))[:2]

    def _find(
        self,
        session: Session,
        resource_type: str | None,
        params: Sequence[tuple[str, str]],
    ) -> list[Stored]:
        for name, _ in params:
            if name != "identifier":
                raise NotSupported(f"no parameter {name}")
        rows = session.rows(
            "SELECT r.pid, r.type FROM idx_token t JOIN resource r ON r.pid = t.pid"
            " WHERE t.param = ? AND t.code = ? AND r.deleted = 0 ORDER BY r.pid",
            (_IDENTIFIER, dict(params).get("identifier", "")),
        )
        pids = [pid for pid, kind in rows if kind == resource_type]
        return self.resources.read_many(session, pids)


@dataclass
class World:
    """Interactions, and requests to them in a few words."""

    interactions: Interactions

    def context(
        self,
        interaction: str,
        kind: str | None = None,
        identity: str | None = None,
        **more: Any,
    ) -> RequestContext:
        more.setdefault("service", self.interactions.services.default)
        more.setdefault("base_url", BASE)
        return RequestContext(
            interaction=interaction, resource_type=kind, resource_id=identity, **more
        )

    def create(
        self, resource: dict[str, Any], if_none_exist: str | None = None
    ) -> Answer:
        context = self.context("create", resource["resourceType"])
        return self.interactions.create(context, Incoming(resource), if_none_exist)

    def update(
        self,
        resource: dict[str, Any],
        if_match: Sequence[str] | None = None,
        if_none_match: Sequence[str] | None = None,
    ) -> Answer:
        kind, identity = resource["resourceType"], resource["id"]
        context = self.context("update", kind, identity)
        return self.interactions.update(
            context, Incoming(resource), if_match, if_none_match
        )

    def update_by(self, query: str, resource: dict[str, Any]) -> Answer:
        context = self.context("update", resource["resourceType"])
        return self.interactions.update_by(context, query, Incoming(resource))

    def read(self, kind: str, identity: str, **conditions: Any) -> Answer:
        context = self.context("read", kind, identity)
        return self.interactions.read(context, **conditions)

    def delete(
        self, kind: str, identity: str, if_match: Sequence[str] | None = None
    ) -> Answer:
        context = self.context("delete", kind, identity)
        return self.interactions.delete(context, if_match)

    def history(
        self, kind: str | None = None, identity: str | None = None, **params: str
    ) -> dict[str, Any]:
        level = "instance" if identity else "type" if kind else "system"
        pairs = tuple(params.items())
        context = self.context(f"history-{level}", kind, identity, params=pairs)
        return self.interactions.history(context).resource()

    def find(self, kind: str, **params: str) -> dict[str, Any]:
        context = self.context("search-type", kind, params=tuple(params.items()))
        return self.interactions.search(context).resource()

    def carry_out(
        self, kind: str, *entries: dict[str, Any], returns: str = "minimal"
    ) -> list[dict[str, Any]]:
        """Send a batch or transaction, and give the entries of its answer."""
        sent = {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
        answer = self.interactions.bundle(
            self.context("transaction"), Incoming(json.parse(json.dump(sent))), returns
        )
        entries_told: list[dict[str, Any]] = answer.resource()["entry"]
        return entries_told


#: Options of the settings; keywords ``plugins``, ``clock``, ``operations``.
Build = Callable[..., World]


def built(
    closing: ExitStack,
    folder: Path,
    plugins: Mapping[str, object] | None = None,
    clock: Clock = utc_now,
    operations: Sequence[Any] = (),
    searching: bool = True,
    **options: Any,
) -> World:
    options.setdefault("store", {"url": "sqlite://"})
    options.setdefault("security", {"mode": "open"})
    settings = Settings(data_dir=folder, **options)
    database = open_database(settings)
    closing.callback(database.close)
    hooks = Hooks(plugins)
    resources = ResourceStore(database)
    return World(
        Interactions(
            resources=resources,
            database=database,
            hooks=hooks,
            search=IdentifierSearch(resources) if searching else None,
            settings=settings,
            clock=clock,
            services=registered_services(settings, hooks),
            operations=Operations([VALIDATE, *operations]),
            blobs=open_blobs(settings, database, resources, clock),
        )
    )


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Make a world of a test's own: ``build(plugins={...}, fhir={...})``."""
    with ExitStack() as closing:
        yield partial(built, closing, tmp_path)


@pytest.fixture(scope="module")
def build_many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    """As ``build``, for tests that make a world for each of many examples."""
    with ExitStack() as closing:
        yield partial(built, closing, tmp_path_factory.mktemp("worlds"))


@pytest.fixture(scope="module")
def lasting(build_many: Build) -> World:
    """One world for all examples of a module."""
    return build_many()


@pytest.fixture
def world(build: Build) -> World:
    """Interactions without plugins, on SQLite."""
    return build()


@pytest.fixture
def fake_clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgres]:
    """A real server for the tests of this folder."""
    if why := available():
        absent("postgresql", why)
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: Postgres) -> str:
    """An empty database."""
    return postgresql.new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, build: Build, tmp_path: Path) -> World:
    """Interactions for many threads at a time, on each database."""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
        return build(store={"url": url, "pool_size": 16})
    return build(store={"url": "sqlite:///races.db"})


@pytest.fixture
def service_without_update_create() -> Service:
    """A service whose ids are given by the server, and that takes no criteria."""
    rules = TypeRules(ALL_TYPE_INTERACTIONS, update_create=False, conditional=False)
    return Service("own", "own/fhir", "Own", {"Patient": rules})
