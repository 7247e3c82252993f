"""From a committed change to its messages: a pure function over the table.

The body and the properties are those of
https://build.fhir.org/ig/fut-infrastructure/implementation-guide/event-messages.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fyr.core import Change, Message, Resource
from fyr.core.telling import TOLD, Absolute
from fyr.plugins.event_messages.table import (
    ADDED,
    CONTEXT,
    CREATED,
    DELETED,
    REFERENCE,
    REMOVED,
    UPDATED,
    Row,
    Table,
)

VERSION = "1.0"
_CLASSES = "com.systematic.ehealth.event.event."
#: Its messages have no ``messageClass``.
_WITHOUT_CLASS = "patient"


class Telling:
    """Tells changes as messages, by one table and one set of base URLs."""

    def __init__(self, table: Table, absolute: Absolute) -> None:
        """Take both."""
        self._table = table
        self._absolute = absolute

    def messages(self, change: Change) -> list[Message]:
        """Give the messages of a change, in the order of the table's rows."""
        if change.topic == TOLD:
            return list(self._told(change))
        rows = self._table.by_type.get(change.type)
        if not rows:
            return []
        # No row looks at a number.
        old, new = change.rough_old, change.rough_new
        known = new or old
        if known is None:
            return []
        event = DELETED if new is None else UPDATED if old else CREATED
        return [
            message
            for row in rows
            if row.is_about(known)
            for message in self._of_row(row, change, event, old, new)
        ]

    def _of_row(
        self,
        row: Row,
        change: Change,
        event: str,
        old: Resource | None,
        new: Resource | None,
    ) -> Iterator[Message]:
        known = new or old or {}
        if row.message == REFERENCE:
            if new is not None:
                yield from self._references(row, change, old, new)
        elif event in row.events and (row.message != CONTEXT or row.holds(old, new)):
            yield self._change(row, event, change, known, {})

    def _references(
        self, row: Row, change: Change, old: Resource | None, new: Resource
    ) -> Iterator[Message]:
        before, after = row.references(old), row.references(new)
        for event, found in (
            (ADDED, [one for one in after if one not in before]),
            (REMOVED, [one for one in before if one not in after]),
        ):
            if found and event in row.events:
                urls = [self._absolute("", one) for one in found]
                yield self._change(
                    row, f"reference_{event}", change, new, {"references": urls}
                )

    def _told(self, change: Change) -> Iterator[Message]:
        """Tell what an operation or a job says has happened to the row's subject.

        The payload has ``topic`` and ``event``, and may have ``version``, ``patient``
        (a reference) and ``status``.

        :raises ValueError: the table has no such event that others tell.
        """
        said = change.payload
        row = self._table.told_by_others(said["topic"], said["event"])
        if row is None:
            raise ValueError(f"nobody else tells {said['event']} of {said['topic']}")
        more = {"status": said["status"]} if "status" in said else {}
        yield self._message(
            row,
            said["event"],
            change.subject,
            str(said.get("version", "")),
            said.get("patient", ""),
            more,
        )

    def _change(
        self,
        row: Row,
        event: str,
        change: Change,
        known: Resource,
        more: Mapping[str, Any],
    ) -> Message:
        version = change.version - 1 if event == DELETED else change.version
        patient = self._table.patient(known)
        return self._message(row, event, change.subject, str(version), patient, more)

    def _message(
        self,
        row: Row,
        event: str,
        subject: str,
        version: str,
        patient: str,
        more: Mapping[str, Any],
    ) -> Message:
        reference = self._absolute(row.service, subject)
        told = {
            "messageType": row.message_type,
            "messageVersion": VERSION,
            "eventType": event,
            "resourceReference": reference,
        }
        named = _named(row)
        properties = {**told, "resourceProfile": row.profile, **named}
        if patient:
            properties["patientReference"] = self._absolute("", patient)
        if row.service != _WITHOUT_CLASS:
            properties["messageClass"] = _CLASSES + row.message_type
        body = {**told, "resourceVersion": version, **named, **more}
        return Message.of(row.topic, body, properties)


def _named(row: Row) -> dict[str, str]:
    """Tell the context or the element, where the kind of message has one."""
    if row.message == CONTEXT:
        return {"context": row.rest}
    return {"resourceElement": row.resource_element} if row.message == REFERENCE else {}
