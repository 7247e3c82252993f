"""Which requests are answered so quickly that no other thread need be asked.

Reads and vreads of the stored bytes: one row by its key, nothing parsed. Not searches,
operations, metadata or routes of plugins, and nothing that is to be converted. Why:
``docs/decisions/serving.md``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from fyr.core.hooks.plugin import Plugin
from fyr.core.store.resources import ResourceStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fyr.core.app import Application
    from fyr.core.store.port import Database, Row

#: Hooks that a read passes; what a plugin does there may take any time, unless it is
#: marked as quick.
_HOOKS = (
    "request_received",
    "authenticate",
    "authorize",
    "authorize_resource",
    "before_interaction",
    "before_show",
    "answered",
    "completed",
)


class QuickReads:
    """Knows the quick reads of an application."""

    def __init__(self, application: Application) -> None:
        """Take the application, whose plugins are loaded."""
        mode = application.settings.server.quick_reads
        chains = [getattr(application.hooks, name) for name in _HOOKS]
        waits = any(not one.quick for chain in chains for one in chain)
        self._none = mode == "never" or (mode == "auto" and waits)
        # A plugin may change what a read finds; so nothing is fetched before it.
        self._database = None if waits else application.database
        waited_for = _waited_for(application) if mode == "auto" else ()
        self._waited_for = frozenset(waited_for)
        paths = "|".join(re.escape(one.path) for one in application.services)
        self._read = re.compile(
            # The content of a Binary may be elsewhere.
            rf"/({paths})/(?!Binary/)([A-Z][A-Za-z]*)/([A-Za-z0-9.\-]{{1,64}})"
            r"(?:/_history/([0-9]{1,9}))?"
        ).fullmatch

    def takes(self, request: Any) -> bool:
        """Whether one of waitress's requests is a quick read."""
        return (
            not self._none
            and not request.error
            and request.command in ("GET", "HEAD")
            and not request.query
            and (match := self._read(request.path)) is not None
            and match.group(1, 2) not in self._waited_for
            and "xml" not in request.headers.get("ACCEPT", "")
        )

    def prepare(self, requests: Sequence[Any]) -> None:
        """Fetch together what some quick reads will ask the database for."""
        if self._database is not None:
            self._database.ahead(self._asked(requests))

    def _asked(self, requests: Sequence[Any]) -> list[tuple[str, Sequence[Any]]]:
        asking = _Asking()
        resources = ResourceStore(cast("Database", asking))
        for request in requests:
            if match := self._read(request.path):
                _, kind, identity, version = match.groups()
                if version is None:
                    resources.read(kind, identity)
                else:
                    resources.vread(kind, identity, int(version))
        return asking.asked


def _waited_for(application: Application) -> Iterator[tuple[str, str]]:
    """Tell path and type of the reads for which a plugin waits after all."""
    plugins = [
        one.target for one in application.plugins if isinstance(one.target, Plugin)
    ]
    for service in application.services:
        for kind in service.types:
            if any(one.waits(service.name, kind) for one in plugins):
                yield service.path, kind


class _Asking:
    """Stands in for the database, to learn from the store what a read asks of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Sequence[Any]]] = []

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Note a statement, and find nothing."""
        self.asked.append((sql, params))
        return []
