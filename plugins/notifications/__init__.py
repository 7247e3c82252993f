"""Notifications: which change the National Notification Service (NAS) is told of, and how.

The table ``notifications.toml`` says what is told as which event, and the configuration
corrects it; :mod:`.telling` applies it to a committed change. Each way out has a cursor or
a queue of its own, so that one that is down delays no other: ``docs/notifications.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from fyr.core import (
    Change,
    Consumer,
    Manifest,
    Message,
    MessageSource,
    Plugin,
    Route,
    hookimpl,
)
from fyr.core.events.change import RESOURCE, read_ahead
from fyr.core.hooks.errors import PluginError
from fyr.core.lines import LinesFile
from fyr.core.telling import TOLD, absolute_by
from fyr.core.telling.serving import schema_routes
from fyr.plugins.notifications.publishing import message_of
from fyr.plugins.notifications.schemas import SCHEMAS, schemas
from fyr.plugins.notifications.settings import NotificationsSettings
from fyr.plugins.notifications.table import Table, read_table
from fyr.plugins.notifications.telling import Notification, Telling

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core.app import Application

#: Topics of the outbox that notifications are made of.
TOPICS = frozenset({RESOURCE, TOLD})


class Notifications(Plugin):
    """Tells changes as notifications, over every way out that the settings name."""

    manifest = Manifest(
        "Notifies the National Notification Service of changes.",
        settings=NotificationsSettings,
    )
    settings: NotificationsSettings

    def start(self, application: Application) -> None:
        """Take the base URLs under which resources are told."""
        absolute = absolute_by(application.services, application.settings.server)
        self._telling = Telling(self._table, absolute, self.settings.topic_prefix)

    @hookimpl
    def register_message_sources(self, settings: Settings) -> Iterable[MessageSource]:
        """Publish to the broker.

        :raises PluginError: it is to, and there is none.
        """
        if not self.settings.mqtt:
            return
        if not settings.messages.url:
            raise PluginError(["plugin.notifications.mqtt: messages.url is empty"])
        yield MessageSource("notifications-mqtt", self._messages, self._types, TOPICS)

    @hookimpl
    def register_consumers(self, settings: Settings) -> Iterable[Consumer]:
        """Hand on to wherever the settings say.

        :raises PluginError: they say nowhere.
        """
        own = self.settings
        if not (own.file or own.mqtt):
            raise PluginError(
                ["plugin.notifications: nobody would be told: set file or mqtt"]
            )
        if own.file:
            file = LinesFile(settings.data_dir / own.file)
            yield self._consumer(
                "notifications-file",
                lambda changes: file.add(one.body for one in self._of(changes)),
            )

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Serve what describes the payload."""
        return schema_routes(SCHEMAS, schemas(), "notifications")

    @cached_property
    def _table(self) -> Table:
        return read_table(self.settings.table)

    def _consumer(
        self, name: str, handle: Callable[[Sequence[Change]], None]
    ) -> Consumer:
        return Consumer(
            name,
            lambda change: handle([change]),
            types=self._types,
            topics=TOPICS,
            handle_many=handle,
        )

    @property
    def _types(self) -> frozenset[str]:
        return frozenset(self._table.by_type)

    def _messages(self, change: Change) -> Iterable[Message]:
        return [message_of(one, self.settings.mqtt_name) for one in self._of([change])]

    def _of(self, changes: Sequence[Change]) -> Iterator[Notification]:
        read_ahead(changes)
        for change in changes:
            yield from self._telling.notifications(change)
