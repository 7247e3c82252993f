"""What core gives to plugins beside hooks: tables, secrets, counters, rules of routes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core import (
    Allow,
    FyrError,
    Manifest,
    Plugin,
    Request,
    RequestContext,
    Response,
    Route,
    TooManyRequests,
    Touched,
    hookimpl,
)
from fyr.core.app import Application
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.principals import PATIENT, PRACTITIONER, SYSTEM_USER

NURSE = replace(PRACTITIONER, privileges=frozenset({"Shelf.write"}))


class Hello:
    """Tells what it knows of a request."""

    def on_get(self, req: Request, resp: Response) -> None:
        resp.tell({"user": req.caller.principal.user_id, "tags": req.etags("If-Match")})

    on_head = on_get

    def on_post(self, req: Request, resp: Response) -> None:
        resp.tell({"size": len(req.content(5))}, 201)


class Shelf(Plugin):
    """A plugin with all that a plugin can have of core."""

    manifest = Manifest("Shelves.", migrations="shelf_migrations")

    def start(self, application: Application) -> None:
        self.application = application
        self.sealer = application.sealer("shelf")
        self.asked = application.metrics.counter("fyr_shelf_asked", "Asked.", ["for"])
        self.noticed: list[tuple[str, int]] = []

    @hookimpl
    def request_received(self, context: RequestContext) -> None:
        if context.route and context.route.counted and context.remote == "":
            raise TooManyRequests("too often")
        if ("stop", "") in context.params:
            raise TooManyRequests("too often")

    @hookimpl
    def answered(
        self, context: RequestContext, status: int, touched: Sequence[Touched]
    ) -> None:
        self.noticed.append((context.operation or "", status))

    @hookimpl
    def register_routes(self) -> list[Route]:
        rules = {
            "GET": Allow(),
            "POST": Allow(frozenset({"PRACTITIONER"}), frozenset({"Shelf.write"})),
        }
        return [
            Route("/shelf/ruled", Hello(), "Has rules.", access=rules),
            Route("/shelf/counted", Hello(), "For all.", public=True, counted=True),
        ]


@pytest.fixture
def fyr_plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    folder = tmp_path / "packages" / "shelf_migrations"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "0001_books.sql").write_text(
        "CREATE TABLE shelf_book (id INTEGER PRIMARY KEY);\n"
    )
    monkeypatch.syspath_prepend(folder.parent)
    return {"shelf": Shelf}


@pytest.fixture
def fyr_options(store_url: str) -> dict[str, Any]:
    return {
        "store": {"url": store_url},
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["access_control"]},
    }


@pytest.fixture
def shelf(fyr_app: Application) -> Shelf:
    (found,) = [one.target for one in fyr_app.plugins if one.name == "shelf"]
    assert isinstance(found, Shelf)
    return found


class TestRoutes:
    def test_a_route_s_own_rules_decide_who_uses_which_method(
        self, fyr_client: Client
    ) -> None:
        told = {
            who.user_id + str(len(who.privileges)): (
                fyr_client.acting_as(who).get("/shelf/ruled").status,
                fyr_client.acting_as(who).post("/shelf/ruled", "abc").status,
            )
            for who in (NURSE, PRACTITIONER, PATIENT, SYSTEM_USER)
        }

        assert told == {
            "test-nurse1": (200, 201),
            "test-nurse0": (200, 403),
            "test-citizen0": (200, 403),
            "test-system0": (200, 403),
        }
        assert fyr_client.get("/shelf/ruled").status == 401
        assert fyr_client.request("HEAD", "/shelf/ruled").status == 401

    def test_a_public_route_that_is_counted_can_be_refused_and_knows_its_caller(
        self, fyr_client: Client
    ) -> None:
        answer = fyr_client.get("/shelf/counted", If_Match='"3", W/"4"')

        assert answer.json == {"user": "anonymous", "tags": ["3", "4"]}
        assert fyr_client.get("/shelf/counted?stop=").status == 429

    def test_a_body_is_read_up_to_a_limit(self, fyr_client: Client) -> None:
        assert fyr_client.post("/shelf/counted", "12345").json == {"size": 5}
        assert fyr_client.post("/shelf/counted", "123456").status == 413

    def test_access_names_the_methods_that_there_are(self) -> None:
        with pytest.raises(ValueError, match=r"access is to name \['GET', 'POST'\]"):
            Route("/shelf", Hello(), "", access={"GET": Allow()})
        with pytest.raises(ValueError, match="public"):
            Route("/shelf", Hello(), "", public=True, access={"GET": Allow()})


class TestOwnTables:
    def test_they_are_there_before_the_plugin_starts(
        self, fyr_app: Application
    ) -> None:
        rows = fyr_app.database.rows(
            "SELECT number, name FROM schema_version WHERE namespace = 'shelf'"
        )

        assert rows == [(1, "books")]
        assert fyr_app.database.rows("SELECT * FROM shelf_book") == []


class TestOwnTablesThatNoWheelBrought:
    """Files that are no Python are easily left out of a distribution."""

    @pytest.mark.parametrize("folder", ["shelf_migrations", "no_such_package"])
    def test_the_server_does_not_start_without_migrations_that_are_named(
        self, folder: str, fyr_options: dict[str, Any], tmp_path: Path, fyr_clock: Any
    ) -> None:
        class Bare(Shelf):
            manifest = Manifest("Shelves.", migrations=folder)

        for file in tmp_path.glob("packages/shelf_migrations/*.sql"):
            file.unlink()

        settings = settings_with(fyr_options, tmp_path)
        with (
            pytest.raises(
                ConfigError, match=f"plugin shelf: .* no migrations in {folder}"
            ),
            application(settings, fyr_clock, {"shelf": Bare}),
        ):
            pass


class TestOwnTablesWhereTheServerMayNotMakeThem:
    """``store.migrate = false``: whoever runs the server may not alter its schema."""

    @pytest.fixture
    def store_url(self, store_url: str) -> str:
        """A store that stays when an application ends."""
        return "sqlite:///fyr.db" if store_url == "sqlite://" else store_url

    @pytest.fixture
    def settings(self, fyr_options: dict[str, Any], tmp_path: Path) -> Settings:
        return settings_with(fyr_options, tmp_path)

    @pytest.fixture
    def unable(self, settings: Settings) -> Settings:
        store = settings.store.model_copy(update={"migrate": False})
        return settings.model_copy(update={"store": store})

    def test_it_does_not_start_before_they_are_there_and_makes_none(
        self,
        settings: Settings,
        unable: Settings,
        fyr_clock: Any,
        fyr_plugins: Any,
    ) -> None:
        with application(settings, fyr_clock) as without:
            with (
                pytest.raises(FyrError, match="schema of shelf is behind: run `fyr"),
                application(unable, fyr_clock, fyr_plugins),
            ):
                pass
            known = without.database.rows(
                "SELECT * FROM schema_version WHERE namespace = 'shelf'"
            )

        assert known == []

    def test_it_starts_once_they_were_made(
        self,
        settings: Settings,
        unable: Settings,
        fyr_clock: Any,
        fyr_plugins: Any,
    ) -> None:
        with application(settings, fyr_clock, fyr_plugins):
            pass
        with application(unable, fyr_clock, fyr_plugins) as built:
            assert built.database.rows("SELECT * FROM shelf_book") == []


class TestSecrets:
    @pytest.fixture
    def store_url(self, store_url: str) -> str:
        """A store that a second application can open."""
        return "sqlite:///fyr.db" if store_url == "sqlite://" else store_url

    def test_a_secret_opens_for_what_it_was_sealed_for(self, shelf: Shelf) -> None:
        sealed = shelf.sealer.seal(b"sesame", "book 1")

        assert b"sesame" not in sealed
        assert shelf.sealer.seal(b"sesame", "book 1") != sealed
        assert shelf.sealer.open(sealed, "book 1") == b"sesame"
        with pytest.raises(FyrError, match="not what was stored"):
            shelf.sealer.open(sealed, "book 2")
        with pytest.raises(FyrError, match="not what was stored"):
            shelf.application.sealer("other").open(sealed, "book 1")

    @pytest.mark.parametrize("place", [0, 12, -1])
    def test_an_altered_secret_does_not_open(self, shelf: Shelf, place: int) -> None:
        sealed = bytearray(shelf.sealer.seal(b"sesame", "book 1"))
        sealed[place] ^= 1

        with pytest.raises(FyrError, match="not what was stored"):
            shelf.sealer.open(bytes(sealed), "book 1")

    def test_a_new_master_key_leaves_secrets_as_they_are(
        self, shelf: Shelf, fyr_app: Application, fyr_clock: Any, fyr_plugins: Any
    ) -> None:
        sealed = shelf.sealer.seal(b"sesame", "book 1")
        made = (fyr_app.settings.data_dir / "blobs.key").read_text()
        blobs = fyr_app.settings.blobs.model_validate(
            {"master_key": "A" * 43 + "=", "former_master_key": made}
        )
        settings = fyr_app.settings.model_copy(update={"blobs": blobs})
        with application(settings, fyr_clock, fyr_plugins) as other:
            assert other.blobs.keys.rewrap() >= 1
            assert other.sealer("shelf").open(sealed, "book 1") == b"sesame"


class TestNotice:
    def test_what_a_route_has_done_is_told_in_its_transaction(
        self, shelf: Shelf, fyr_app: Application
    ) -> None:
        context = RequestContext(
            fyr_app.services.default, "operation", operation="lend"
        )
        fyr_app.database.write(lambda session: fyr_app.answered(context, session, 403))

        assert shelf.noticed == [("lend", 403)]

    def test_a_counter_stands_on_the_page_of_metrics(
        self, shelf: Shelf, fyr_app: Application
    ) -> None:
        shelf.asked.labels("books").inc()

        assert (
            'fyr_shelf_asked_total{for="books"} 1.0' in fyr_app.metrics.page().decode()
        )


@pytest.fixture(autouse=True)
def forget_the_package() -> Iterator[None]:
    import sys

    yield
    sys.modules.pop("shelf_migrations", None)
