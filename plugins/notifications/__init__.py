"""Notifications: which change the National Notification Service (NAS) is told of, and how.

The table ``notifications.toml`` says what is told as which event, and the configuration
corrects it; :mod:`.telling` applies it to a committed change. Each way out has a cursor or
a queue of its own, so that one that is down delays no other: ``docs/notifications.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fyr.core import (
    Change,
    Consumer,
    Manifest,
    Message,
    MessageSource,
    Outgoing,
    Plugin,
    Route,
    Sender,
    Session,
    hookimpl,
)
from fyr.core.errors.plugins import PluginError
from fyr.core.events.change import RESOURCE, read_ahead
from fyr.core.json_lines import LinesFile
from fyr.core.telling import TOLD, absolute_by
from fyr.core.telling.serving import schema_routes
from fyr.plugins.notifications.publishing import message_of, name_of
from fyr.plugins.notifications.schemas import SCHEMAS, message_kind, schemas
from fyr.plugins.notifications.sending import kept, sender_name, senders, unreached
from fyr.plugins.notifications.settings import NotificationsSettings
from fyr.plugins.notifications.table import Table, read_table
from fyr.plugins.notifications.telling import Notification, Telling

if TYPE_CHECKING:
    from fyr.config.settings import Settings
    from fyr.core import Application

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
        """Take the base URLs under which resources are told, and what sends.

        :raises PluginError: a receiver may not be sent to, or a file is missing.
        """
        absolute = absolute_by(application.services, application.settings.server)
        self._telling = Telling(self._table, absolute, self.settings.topic_prefix)
        self._outgoing = application.outgoing
        self._senders = senders(
            self.settings, application.settings.outgoing, application.resources
        )

    def stop(self) -> None:
        """Give the connections back."""
        for sender in getattr(self, "_senders", {}).values():
            sender.close()

    def missing(self, settings: Settings) -> Iterable[str]:
        """Tell that nobody would be told, or that there is no broker."""
        own = self.settings
        if not (own.file or own.mqtt or own.receivers):
            yield (
                "plugin.notifications: nobody would be told: set file, mqtt, webhook.url"
                " or nas.url"
            )
        if own.mqtt and not settings.messages.url:
            yield "plugin.notifications.mqtt: messages.url is empty"

    def reach(self, deployment: Settings) -> Iterable[str]:
        """Tell which receivers cannot be connected to."""
        return unreached(self.settings, deployment.outgoing)

    @hookimpl
    def register_message_sources(self, settings: Settings) -> Iterable[MessageSource]:
        """Publish to the broker.

        :raises PluginError: it is to, and there is none.
        """
        if not self.settings.mqtt:
            return
        self._require(settings)
        names = dict.fromkeys(
            name_of(row.topic, self.settings.mqtt_name) for row in self._table.rows
        )
        kinds = {name: [message_kind()] for name in names}
        yield MessageSource(
            "notifications-mqtt", self._messages, self._types, TOPICS, kinds
        )

    @hookimpl
    def register_consumers(self, settings: Settings) -> Iterable[Consumer]:
        """Hand on to wherever the settings say.

        :raises PluginError: they say nowhere.
        """
        own = self.settings
        self._require(settings)
        if own.file:
            file = LinesFile(settings.data_dir / own.file)
            yield self._consumer(
                "notifications-file",
                lambda changes: file.add(one.body for one in self._of(changes)),
            )
        if own.receivers:
            yield self._consumer("notifications", self._queue)

    @hookimpl
    def register_senders(self) -> Iterable[Sender]:
        """Send to the receivers of the settings."""
        for name, receiver in self.settings.receivers.items():
            yield Sender(
                sender_name(name),
                partial(self._send, name),
                attempts=receiver.attempts,
                # Each receiver is its sender's only destination.
                host=_always(urlsplit(receiver.url).hostname or ""),
            )

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Serve what describes the payload."""
        return schema_routes(SCHEMAS, schemas(), "notifications")

    def _require(self, settings: Settings) -> None:
        if missing := list(self.missing(settings)):
            raise PluginError(missing)

    def _send(self, name: str, messages: Sequence[Outgoing]) -> None:
        self._senders[name].send(messages)

    def _queue(self, changes: Sequence[Change]) -> None:
        """Put what is told into the queue of each receiver."""
        told = [kept(one) for one in self._of(changes)]
        if not told:
            return

        def work(session: Session) -> None:
            for name in self.settings.receivers:
                messages = [(name, one) for one in told]
                self._outgoing.put_many(session, sender_name(name), messages)

        self._outgoing.database.write(work)
        self._outgoing.wake()

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


def _always(host: str) -> Callable[[str], str]:
    return lambda _destination: host
