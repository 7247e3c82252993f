"""Where AuditEvents go: a broker, a file, the store, the national log.

Each is a consumer of the outbox with a cursor of its own, so that one that is down
delays nobody. Each may hand an AuditEvent on twice, with the same id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import orjson

from fyr.core import (
    Change,
    Consumer,
    Message,
    MessageSource,
    PreconditionFailed,
    Resource,
)
from fyr.core.json_lines import LinesFile
from fyr.plugins.audit.facts import TOPIC
from fyr.plugins.audit.minlog import minlog_record

_TOPICS = frozenset({TOPIC})

#: The AuditEvents of a row of the outbox.
Events = Callable[[Change], Iterable[Resource]]


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


def to_minlog(
    file: LinesFile,
    events: Events,
    read: Callable[[Change, str], Resource | None],
) -> Consumer:
    """Add what concerns MinLog to a file of its own.

    :param read: gives the patient that an absolute reference of a change leads to.
    """

    def records(changes: Sequence[Change]) -> Iterator[Any]:
        for change in changes:
            for event in events(change):
                if record := minlog_record(event, partial(read, change)):
                    yield record

    return _many("audit-minlog", lambda changes: file.add(records(changes)))


def to_store(store: Callable[[Change, Resource], None], events: Events) -> Consumer:
    """Keep each AuditEvent as a resource, once.

    :param store: raises PreconditionFailed when it is there already.
    """

    def handle(change: Change) -> None:
        for event in events(change):
            try:
                store(change, event)
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
