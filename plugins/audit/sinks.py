"""Where AuditEvents go: a broker, a file, the store, the national log.

Each is a consumer of the outbox with a cursor of its own, so that one that is down
delays nobody. Each may hand an AuditEvent on twice, with the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from fyr.core import Change, Consumer, Message, MessageSource, PreconditionFailed
from fyr.core.context import SYSTEM, RequestContext
from fyr.core.interactions import Incoming
from fyr.plugins.audit.facts import TOPIC
from fyr.plugins.audit.lines import LinesFile
from fyr.plugins.audit.minlog import PatientReader, minlog_record

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.model.resource import Resource

_TOPICS = frozenset({TOPIC})

#: The AuditEvents of a row of the outbox.
Events = Callable[[Change], Iterable["Resource"]]


def to_broker(topic: str, events: Events) -> MessageSource:
    """Publish each AuditEvent as a message."""

    def messages(change: Change) -> Iterator[Message]:
        for event in events(change):
            yield Message(topic, orjson.dumps(event))

    return MessageSource("audit-messages", messages, topics=_TOPICS)


def to_file(file: LinesFile, events: Events) -> Consumer:
    """Add each AuditEvent to a file."""
    return _many(
        "audit-file",
        lambda changes: file.add(
            event for change in changes for event in events(change)
        ),
    )


def to_minlog(file: LinesFile, events: Events, read: PatientReader) -> Consumer:
    """Add what concerns MinLog to a file of its own."""

    def records(changes: Sequence[Change]) -> Iterator[Any]:
        for change in changes:
            for event in events(change):
                if record := minlog_record(event, read):
                    yield record

    return _many("audit-minlog", lambda changes: file.add(records(changes)))


def to_store(application: Callable[[], Application], events: Events) -> Consumer:
    """Keep each AuditEvent as a resource, once."""

    def handle(change: Change) -> None:
        interactions = application().interactions
        for event in events(change):
            context = RequestContext(
                interactions.services.default,
                "update",
                "AuditEvent",
                event["id"],
                principal=SYSTEM,
                trace_id=change.trace_id,
            )
            try:
                interactions.update(context, Incoming(event), if_none_match=("*",))
            except PreconditionFailed:
                continue  # it was kept before a crash

    return Consumer("audit-store", handle, topics=_TOPICS)


def _many(name: str, handle: Callable[[Sequence[Change]], None]) -> Consumer:
    return Consumer(
        name,
        lambda change: handle([change]),
        topics=_TOPICS,
        handle_many=handle,
    )
