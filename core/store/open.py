"""Opens the database that the settings name, and brings its schema up to date."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from fyr.config.load import ConfigError
from fyr.config.settings import Settings
from fyr.core.store.migrating import migrate
from fyr.core.store.port import Database

_POSTGRESQL = ("postgresql", "postgres")


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


def unreached(settings: Settings) -> Iterator[str]:
    """Tell why the PostgreSQL that the settings name lets nobody in.

    It takes some seconds at most; nothing is asked of it.
    """
    if urlsplit(settings.store.url).scheme not in _POSTGRESQL:
        return
    from fyr.core.store.connections import why_not

    if why := why_not(settings.store.url, _password(settings)):
        yield f"store.url: {why}"


def _password(settings: Settings) -> str:
    secret = settings.store.password
    return secret.get_secret_value() if secret else ""


def _connect(settings: Settings) -> Database:
    url = settings.store.url
    parts = urlsplit(url)
    if parts.scheme == "sqlite" and not parts.netloc:
        from fyr.core.store.sqlite import SqliteDatabase

        file = unquote(parts.path.removeprefix("/"))
        return SqliteDatabase(settings.data_dir / Path(file) if file else None)
    if parts.scheme in _POSTGRESQL:
        from fyr.core.store.postgresql import PostgresqlDatabase

        return PostgresqlDatabase(
            url,
            password=_password(settings),
            pool_size=settings.store.pool_size,
            retries=settings.store.retries,
        )
    raise ConfigError(
        [
            "store.url: is to be sqlite:///FILE, sqlite:// or"
            " postgresql://USER@HOST:PORT/NAME"
        ]
    )
