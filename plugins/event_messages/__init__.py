"""Event messages: which change is told as what, in the eHealth event model.

https://build.fhir.org/ig/fut-infrastructure/implementation-guide/event-messages.html

The table ``events.toml`` says it all; :mod:`.telling` applies it to a change. What no
change of a resource tells, an operation or a job says by an event of the outbox with the
topic :data:`fyr.core.telling.TOLD`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.core import (
    Change,
    Manifest,
    Message,
    MessageSource,
    Plugin,
    Route,
    Stream,
    __version__,
    hookimpl,
)
from fyr.core.messages.topics import Topics
from fyr.core.telling import TOLD, absolute_by
from fyr.core.telling.serving import document, schema_routes
from fyr.plugins.event_messages.catching_up import PATH, Events, Rights, Told
from fyr.plugins.event_messages.describing import EVENTS
from fyr.plugins.event_messages.schemas import (
    ASYNCAPI,
    SCHEMAS,
    asyncapi,
    kinds_of,
    schemas,
    servers_of,
)
from fyr.plugins.event_messages.settings import EventMessagesSettings
from fyr.plugins.event_messages.streaming import Streaming
from fyr.plugins.event_messages.table import read_table
from fyr.plugins.event_messages.telling import Telling

if TYPE_CHECKING:
    from fyr.core import Application

NAME = "event_messages"


class EventMessages(Plugin):
    """Tells changes as EHealthSimpleEvent, EHealthReferenceEvent, EHealthContextEvent."""

    manifest = Manifest(
        "Tells changes of resources as event messages.",
        settings=EventMessagesSettings,
    )
    settings: EventMessagesSettings

    def start(self, application: Application) -> None:
        """Take the base URLs under which resources are told."""
        absolute = absolute_by(application.services, application.settings.server)
        self._telling = Telling(read_table(), absolute)
        self._application = application

    @hookimpl
    def register_message_sources(self) -> Iterable[MessageSource]:
        """Tell of every change that the table has a row for."""
        yield self._source()

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Serve what was told, and what describes it."""
        application = self._application
        events = Events(application.outbox, self._told(), Rights(self.settings))
        yield Route(
            PATH, events, "Events after a number, as NDJSON.", operations=EVENTS
        )
        settings = application.settings.messages
        mqtt_topic = Topics(settings.topic).of
        yield from schema_routes(SCHEMAS, schemas(), "messages")
        sources = application.publishing.sources
        told = asyncapi(sources, mqtt_topic, __version__, servers_of(settings))
        yield document(ASYNCAPI, told, "AsyncAPI of messages.")

    @hookimpl
    def register_streams(self) -> Iterable[Stream]:
        """Tell events as they happen, to who is connected."""
        yield Streaming(self._told(), Rights(self.settings)).stream()

    def _told(self) -> Told:
        """Tell what every plugin publishes."""
        return Told(self._application.publishing.sources)

    def _source(self) -> MessageSource:
        types = frozenset(read_table().by_type)
        topics = frozenset({"resource", TOLD})
        return MessageSource(
            NAME, self._messages, types, topics, kinds_of(read_table())
        )

    def _messages(self, change: Change) -> Iterable[Message]:
        return self._telling.messages(change)
