"""Event messages: which change is told as what, in the eHealth event model.

https://build.fhir.org/ig/fut-infrastructure/implementation-guide/event-messages.html

The table ``events.toml`` says it all; :mod:`.telling` applies it to a change. What no
change of a resource tells, an operation or a job says by an event of the outbox with the
topic :data:`~.telling.TOLD`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fyr.core import Change, Manifest, Message, MessageSource, Plugin, hookimpl
from fyr.plugins.event_messages.table import read_table
from fyr.plugins.event_messages.telling import TOLD, Telling
from fyr.plugins.event_messages.urls import absolute_by

if TYPE_CHECKING:
    from fyr.core.app import Application

NAME = "event_messages"


class EventMessages(Plugin):
    """Tells changes as EHealthSimpleEvent, EHealthReferenceEvent, EHealthContextEvent."""

    manifest = Manifest("Tells changes of resources as event messages.")

    def start(self, application: Application) -> None:
        """Take the base URLs under which resources are told."""
        absolute = absolute_by(application.services, application.settings.server)
        self._telling = Telling(read_table(), absolute)

    @hookimpl
    def register_message_sources(self) -> Iterable[MessageSource]:
        """Tell of every change that the table has a row for."""
        types = frozenset({"", *(row.type for row in read_table().rows)})
        topics = frozenset({"resource", TOLD})
        yield MessageSource(NAME, self._messages, types, topics)

    def _messages(self, change: Change) -> Iterable[Message]:
        return self._telling.messages(change)
