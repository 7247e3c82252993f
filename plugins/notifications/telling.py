"""From a committed change to its notifications: a pure function over the table.

Whom a submission concerns stands in what was submitted: there the first version of each
is read, which never changes. So the same change gives the same notifications each time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fyr.core import Change, Resource
from fyr.core.model.json import own
from fyr.core.telling import TOLD, Absolute, Path, first_patient, referred
from fyr.plugins.notifications.table import CREATED, UPDATED, Row, Table

#: What ids of notifications begin with.
NAME = "notifications"

_path = lru_cache(maxsize=256)(Path)


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification: what is sent, and of whom, as this server stores it."""

    #: the same whenever it is repeated
    id: str
    #: the topic without its prefix
    topic: str
    #: ``Patient/12``, or an absolute URL of another server
    patient: str
    body: dict[str, Any]

    @property
    def payload(self) -> bytes:
        """The JSON that is sent: ASCII, so that it may stand in XML."""
        return json.dumps(self.body, separators=(",", ":")).encode("ascii")


class Telling:
    """Tells changes as notifications, by one table and one set of base URLs."""

    def __init__(self, table: Table, absolute: Absolute, prefix: str) -> None:
        """Take both, and what topics begin with."""
        self._table = table
        self._absolute = absolute
        self._prefix = prefix

    def notifications(self, change: Change) -> list[Notification]:
        """Give the notifications of a change, by their numbers.

        A change that concerns no citizen has none.

        :raises ValueError: nobody knows under which URL its resource is read.
        """
        if change.topic == TOLD:
            return list(self._said(change))
        rows = self._table.by_type.get(change.type)
        new = change.new if rows else None
        if not rows or new is None:
            return []
        event = UPDATED if change.old else CREATED
        return [
            found
            for row in rows
            if event in row.events and row.holds(change.old, new)
            for found in self._changed(row, change, new)
        ]

    def _changed(
        self, row: Row, change: Change, new: Resource
    ) -> Iterator[Notification]:
        whose = new if not row.through else _through(row, change, new)
        patient = _patient(row, whose)
        if not patient:
            return
        more = {
            "episodeOfCareReference": self._first(row.episode, whose),
            "careManagerOrganization": self._first(row.organization, new),
            "status": str(new.get("status", "")) if row.status else "",
        }
        yield self._made(row, change, str(change.version), patient, more)

    def _said(self, change: Change) -> Iterator[Notification]:
        said = change.payload
        for row in self._table.said:
            if row.said and row.said.is_in(said) and said.get("patient"):
                version, patient = str(said.get("version", "")), said["patient"]
                more = {"status": said.get("status", "") if row.status else ""}
                yield self._made(row, change, version, patient, more)

    def _made(
        self, row: Row, change: Change, version: str, patient: str, more: dict[str, str]
    ) -> Notification:
        id_ = f"{NAME}-{change.key}-{row.id}"
        body = {
            "id": id_,
            "eventId": row.id,
            "eventTime": change.moment.isoformat(timespec="milliseconds"),
            "topic": self._prefix + row.topic,
            "resourceReference": self._resource(row, change.subject),
            "resourceVersion": version,
            "patientReference": self._absolute("", patient),
            **{name: value for name, value in more.items() if value},
        }
        return Notification(id_, row.topic, patient, body)

    def _resource(self, row: Row, subject: str) -> str:
        if row.base:
            return f"{row.base.rstrip('/')}/{subject}"
        url = self._absolute(row.service, subject)
        if "://" not in url:
            raise ValueError(f"no service has {subject}: set table.{row.id}.base")
        return url

    def _first(self, path: str, resource: Resource | None) -> str:
        found = referred(_path(path)(resource)) if path else ()
        return next((self._absolute("", one) for one in found), "")


def _patient(row: Row, resource: Resource | None) -> str:
    return first_patient(referred(_path(row.patient)(resource)))


def _through(row: Row, change: Change, new: Resource) -> Resource | None:
    """Give the first of the resources that it refers to which tells its patient."""
    for reference in referred(_path(row.through)(new)):
        type_, _, id_ = reference.partition("/")
        stored = change.versions.vread(type_, id_, 1) if change.versions else None
        if stored is not None and stored.body is not None:
            found = own(stored.body)
            if _patient(row, found):
                return found
    return None
