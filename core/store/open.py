"""The database that the settings name."""

from __future__ import annotations

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core.store.migrations import migrate
from fyr.core.store.port import Database

#: Namespace of core's own tables.
NAMESPACE = "fyr"


def open_database(settings: Settings) -> Database:
    """Open the store and see to its schema.

    :raises ConfigError: ``store.url`` names no kind of database that is known.
    :raises fyr.core.errors.Unavailable: it cannot be reached, or its schema does not fit.
    """
    database = _connect(settings)
    try:
        migrate(
            database,
            NAMESPACE,
            "fyr.core.store.migrations",
            apply=settings.store.migrate,
        )
    except BaseException:
        database.close()
        raise
    return database


def _connect(settings: Settings) -> Database:
    url = settings.store.url
    if url.startswith("sqlite:"):
        from fyr.core.store.sqlite import SqliteDatabase

        name = url.removeprefix("sqlite:").removeprefix("//").removeprefix("/")
        return SqliteDatabase(settings.data_dir / name if name else None)
    if url.startswith(("postgresql:", "postgres:")):
        from fyr.core.store.postgresql import PostgresqlDatabase

        password = settings.store.password
        return PostgresqlDatabase(
            url,
            password=password.get_secret_value() if password else "",
            pool_size=settings.store.pool_size,
            retries=settings.store.retries,
        )
    raise ConfigError(
        [f"store.url: neither sqlite: nor postgresql: {url.split(':')[0]}:"]
    )
