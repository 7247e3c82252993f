"""Which requests are answered so quickly that no other thread need be asked.

Reads and vreads of the stored bytes: one row by its key, nothing parsed. Not searches,
operations, metadata or routes of plugins, and nothing that is to be converted. Why:
``docs/decisions/serving.md``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from fyr.core.store.resources import ResourceStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fyr.core.app import Application
    from fyr.core.store.port import Database, Row

_Statement = tuple[str, "Sequence[Any]"]

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
        # Where a read is no trip there is nothing to be saved by it.
        far = application.database.dialect != "sqlite"
        self._database = application.database if far and not waits else None
        self._expected = application.interactions.expected
        self._judges = bool(application.hooks.authorize_resource)
        paths = "|".join(re.escape(one.path) for one in application.services)
        self._read = re.compile(
            # Their content may be elsewhere; that of other types is so but rarely.
            rf"/({paths})/(?!(?:Binary|DocumentReference|Media)/)"
            r"([A-Z][A-Za-z]*)/([A-Za-z0-9.\-]{1,64})"
            r"(?:/_history/([0-9]{1,9}))?"
        ).fullmatch

    def takes(self, request: Any) -> bool:
        """Whether one of waitress's requests is a quick read."""
        return (
            not self._none
            and not request.error
            and request.command in ("GET", "HEAD")
            and not request.query
            and self._read(request.path) is not None
            and "xml" not in request.headers.get("ACCEPT", "")
        )

    def prepare(self, requests: Sequence[Any]) -> None:
        """Fetch together what some quick reads will ask the database for.

        With what the decisions on them are expected to look up, behind all that is read:
        so a decision knows of nothing older than the resource that it is about.
        """
        if self._database is not None:
            asked = self._asked(requests)
            # A single statement alone is sent as soon when it is asked for.
            self._database.ahead(asked if len(asked) > 1 else ())

    def _asked(self, requests: Sequence[Any]) -> list[_Statement]:
        asking = _Asking()
        resources = ResourceStore(cast("Database", asking))
        looked_up: dict[str, None] = {}
        for request in requests:
            if match := self._read(request.path):
                _, kind, identity, version = match.groups()
                if version is not None:
                    resources.vread(kind, identity, int(version))
                if version is None or self._judges:
                    resources.read(kind, identity)
                if self._judges:
                    sent = request.headers.get("AUTHORIZATION")
                    for reference in self._expected.of(sent, kind):
                        looked_up[reference] = None
        for reference in looked_up:
            kind, _, identity = reference.partition("/")
            resources.parsed(kind, identity)
        return asking.asked


class _Asking:
    """Stands in for the database, to learn from the store what a read asks of it."""

    def __init__(self) -> None:
        self.asked: list[_Statement] = []

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """Note a statement, and find nothing."""
        self.asked.append((sql, params))
        return []
