"""Where topics are found by their URL: the settings, then what is kept as Basic."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.core import RequestContext
from fyr.core.context import SYSTEM
from fyr.core.model import json
from fyr.plugins.subscriptions.topics import CODE, Topic, declared, kept

if TYPE_CHECKING:
    from fyr.core import Application
    from fyr.plugins.subscriptions.settings import TopicSettings

#: Topics that are looked at of those kept as Basic; a deployment has few.
_MOST = "200"


class TopicBook:
    """Finds topics."""

    def __init__(
        self, application: Application, topics: Iterable[TopicSettings]
    ) -> None:
        """Take those of the settings."""
        self._application = application
        self._declared = declared(topics)

    def find(self, url: str) -> Topic | None:
        """Find a topic; with a version (``|1.0``) the one that has it."""
        plain, _, version = url.partition("|")
        found = self._declared.get(url) or self._declared.get(plain)
        if found and (found.url == url or not version or found.version == version):
            return found
        return self._kept(plain, version)

    def _kept(self, url: str, version: str) -> Topic | None:
        engine = self._application.search
        if engine is None:
            return None
        everything = self._application.services.everything
        context = RequestContext(everything, "search-type", "Basic", principal=SYSTEM)
        asked = [("code", CODE), ("_count", _MOST)]
        page = self._application.database.read(
            lambda session: engine.search(session, context, "Basic", asked)
        )
        topics = (kept(json.own(one.body)) for one in page.matches if one.body)
        return next(
            (
                one
                for one in topics
                if one and one.url == url and (not version or one.version == version)
            ),
            None,
        )
