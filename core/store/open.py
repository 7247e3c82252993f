"""Opens the database that the settings name, and brings its schema up to date."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core.store.migrating import migrate
from fyr.core.store.port import Database


def open_database(settings: Settings) -> Database:
    """Open the store; the caller closes it.

    :raises Unavailable: it cannot be reached.
    :raises FyrError: its schema does not fit.
    :raises fyr.config.load.ConfigError: the URL is none that is known.
    """
    database = _connect(settings)
    try:
        migrate(database, apply=settings.store.migrate)
    except BaseException:
        database.close()
        raise
    return database


def _connect(settings: Settings) -> Database:
    url = settings.store.url
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and not parts.netloc:
        from fyr.core.store.sqlite import SqliteDatabase

        file = unquote(parts.path.removeprefix("/"))
        return SqliteDatabase(settings.data_dir / Path(file) if file else None)
    if parts.scheme in ("postgresql", "postgres"):
        from fyr.core.store.postgresql import PostgresqlDatabase

        secret = settings.store.password
        return PostgresqlDatabase(
            url,
            password=secret.get_secret_value() if secret else "",
            pool_size=settings.store.pool_size,
            retries=settings.store.retries,
        )
    raise ConfigError(
        [
            "store.url: is to be sqlite:///FILE, sqlite:// or"
            " postgresql://USER@HOST:PORT/NAME"
        ]
    )
