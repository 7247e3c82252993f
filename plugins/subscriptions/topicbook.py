"""Where topics are found by their URL: the settings, then what is kept as Basic."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.core import RequestContext
from fyr.core.context import SYSTEM
from fyr.core.model import json
from fyr.plugins.subscriptions.topics import CODE, Topic, declared, kept

if TYPE_CHECKING:
    from fyr.core.app import Application
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
        """Find a topic, with or without its version (``|1.0``)."""
        found = self._declared.get(url) or self._declared.get(url.partition("|")[0])
        return found or self._kept(url.partition("|")[0])

    def _kept(self, url: str) -> Topic | None:
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
        return next((one for one in topics if one and one.url == url), None)
