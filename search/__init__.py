"""Search, a plugin like any other: finds resources by what is in them.

https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from fyr.config.settings import Settings
from fyr.core import hookimpl
from fyr.core.clock import Clock
from fyr.core.events import Consumer
from fyr.core.jobs import Job
from fyr.core.model.resource import Resource
from fyr.core.store.migrating import migrate
from fyr.core.store.port import Database, Session
from fyr.search import fulltext
from fyr.search.engine import Engine
from fyr.search.parameters import Parameters

if TYPE_CHECKING:
    import click

__all__ = [
    "provide_search",
    "register_commands",
    "register_consumers",
    "register_jobs",
]


@hookimpl
def provide_search(
    settings: Settings,
    database: Database,
    clock: Clock,
    search_parameters: Sequence[Resource],
) -> Engine:
    """Give the search engine that Fyr brings."""
    migrate(
        database,
        namespace="search",
        folder=files("fyr.search.migrations"),
        apply=settings.store.migrate,
    )
    if settings.search.full_text:
        fulltext.prepare(database, clock, apply=settings.store.migrate)
    return Engine(
        Parameters(search_parameters),
        settings=settings,
        clock=clock,
        link_key=_link_key(settings, database),
    )


@hookimpl
def register_consumers(settings: Settings, database: Database) -> Iterable[Consumer]:
    """Keep the full-text index, where there is one."""
    return [fulltext.consumer(database)] if settings.search.full_text else []


@hookimpl
def register_jobs() -> Iterable[Job]:
    """Offer to make the full-text index anew."""
    return [fulltext.job()]


@hookimpl
def register_commands() -> Iterable[click.Command]:
    """Offer ``fyr reindex``."""
    from fyr.search.commands import reindex

    return [reindex]


def _link_key(settings: Settings, database: Database) -> bytes:
    """Give the key of paging links: the one in the settings, or one that all share."""
    if settings.security.link_secret is not None:
        return settings.security.link_secret.get_secret_value().encode()

    def work(session: Session) -> str:
        session.run(
            "INSERT INTO search_link_key (id, secret) VALUES (1, ?)"
            " ON CONFLICT (id) DO NOTHING",
            (secrets.token_hex(32),),
        )
        return str(
            session.rows("SELECT secret FROM search_link_key WHERE id = 1")[0][0]
        )

    known = database.rows("SELECT secret FROM search_link_key WHERE id = 1")
    return bytes.fromhex(known[0][0] if known else database.write(work))
