"""A store for the story alone, wherever the deployment keeps its own.

Whatever there is already stays as it is, and the story can be told again and again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

from fyr.core import Unavailable
from fyr.core.observability.masking import masked
from fyr.plugins.demo.stage import StoryError
from fyr.search import Search

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core import Application

_FILE = "sqlite:///fyr.db"


@contextmanager
def thrown_away(settings: Settings) -> Iterator[Settings]:
    """Give the settings of a deployment whose data is removed at the end.

    That is a temporary folder, a schema of its own in PostgreSQL, and a prefix of its own
    in Elasticsearch (:func:`index_thrown_away`). Blobs in an S3 stay.

    :raises StoryError: PostgreSQL lets nobody make a schema there.
    """
    name = f"fyr_demo_{uuid4().hex[:12]}"
    with ExitStack() as ending:
        folder = ending.enter_context(TemporaryDirectory(prefix="fyr-demo-"))
        url = settings.store.url
        is_file = url.startswith("sqlite")
        url = _FILE if is_file else ending.enter_context(_schema(settings, name))
        store = settings.store.model_copy(update={"url": url})
        reporting = settings.reporting.model_copy(update={"index_prefix": name})
        own = {"data_dir": Path(folder), "store": store, "reporting": reporting}
        yield settings.model_copy(update=own)


@contextmanager
def _schema(settings: Settings, name: str) -> Iterator[str]:
    import psycopg

    url, secret = settings.store.url, settings.store.password
    password = secret.get_secret_value() if secret else None

    def do(statement: str) -> None:
        with psycopg.connect(url, autocommit=True, password=password) as connection:
            connection.execute(statement.encode())

    try:
        do(f"CREATE SCHEMA {name}")
    except psycopg.Error as error:
        why = str(error).strip()
        raise StoryError(f"{masked(url)} (store.url): {masked(why)}") from None
    try:
        mark = "&" if "?" in url else "?"
        yield f"{url}{mark}options=-csearch_path%3D{name}"
    finally:
        do(f"DROP SCHEMA {name} CASCADE")


@contextmanager
def index_thrown_away(application: Application) -> Iterator[None]:
    """Remove the reporting index at the end, where there is one."""
    try:
        yield
    finally:
        search = application.plugin(Search)
        if search is not None and search.reporting is not None:
            index = search.reporting.index
            with suppress(Unavailable):
                for generation in index.generations():
                    index.drop(generation)
