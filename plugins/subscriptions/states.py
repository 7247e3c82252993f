"""The states of a subscription: requested, active, error, off; written into the resource.

https://hl7.org/fhir/R4/valueset-subscription-status.html. Changes are asked for in the
transaction that finds out, and made by a job, as any write of a resource is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from fyr.core import (
    Away,
    Change,
    FyrError,
    JobContext,
    RequestContext,
    Resource,
    Session,
)
from fyr.core.clock import to_millis
from fyr.core.context import SYSTEM
from fyr.core.interactions import Incoming
from fyr.core.model import json
from fyr.plugins.subscriptions.channels.email import Email
from fyr.plugins.subscriptions.channels.mqtt import MqttChannel
from fyr.plugins.subscriptions.definition import read
from fyr.plugins.subscriptions.notifications import HANDSHAKE, HEARTBEAT, Notification
from fyr.plugins.subscriptions.rows import DELETED, TOLD, Row, room_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fyr.core import Application
    from fyr.plugins.subscriptions.channels.channel import Channel
    from fyr.plugins.subscriptions.rights import Rights
    from fyr.plugins.subscriptions.settings import SubscriptionsSettings
    from fyr.plugins.subscriptions.table import Table

log = structlog.get_logger("fyr.subscriptions")

JOB, TEND = "subscriptions-status", "subscriptions-tend"
SENDER = CONSUMER = "subscriptions"
KIND = "Subscription"
#: Topic of the outbox: a subscription with a websocket has an event, or its end.
WEBSOCKET = "subscriptions.told"
#: Milliseconds between two looks at a mail server, as between those at a broker. That one
#: holds a connection, so a look at it costs nothing; mails have one each.
_MAIL_MILLIS = 10_000
#: state -> those that it may follow
STEPS: Mapping[str, frozenset[str]] = {
    "active": frozenset({"requested", "error"}),
    "error": frozenset({"requested", "active"}),
    "off": frozenset({"requested", "active", "error"}),
}


class States:
    """Takes versions of subscriptions, and brings them from state to state."""

    def __init__(
        self,
        application: Application,
        table: Table,
        channels: Mapping[str, Channel],
        settings: SubscriptionsSettings,
        rights: Rights,
    ) -> None:
        """Take what changes them."""
        self._rights = rights
        self._application = application
        self._table = table
        self._channels = channels
        self._settings = settings
        #: why what a channel needs is away, as it was seen last; empty: it is not
        self._away: dict[str, str] = {}
        self._mail_due = 0

    def take(self, change: Change) -> None:
        """Take a version of a subscription as it was committed, once."""
        known = self._table.row(change.id)
        if known is not None and known.version >= change.version:
            return
        resource = change.new
        now = to_millis(self._application.clock())

        def work(session: Session) -> None:
            if known and (resource is None or resource["status"] == "off"):
                self._tell_end(session, known, resource, now)
            if resource is None:
                self._table.put(session, _row(change, "off", DELETED, now, 0))
                self._table.remove(session, change.id, change.version)
                self._application.outgoing.forget(session, SENDER, change.id)
                return
            self._hand_over(session, known, change)
            status = str(resource["status"])
            body = json.dump(resource).decode()
            told = known if known is not None and known.status in TOLD else None
            since = told.since if told else change.position
            self._table.put(session, _row(change, status, body, now, since))
            if status == "off":
                self._application.outgoing.forget(session, SENDER, change.id)
            elif status == "requested":
                self._begin(session, change, resource)

        self._application.database.write(work)
        self._application.outgoing.wake()

    def _tell_end(
        self, session: Session, known: Row, resource: Resource | None, now: int
    ) -> None:
        """Tell those who listen on a websocket that nothing will come any more."""
        definition = read(known.resource())
        owner = self._table.owner(known.id, known.version, session)
        if known.status == "off" or owner is None or definition.channel != "websocket":
            return
        why = "it was deleted" if resource is None else resource.get("error", "")
        row = replace(known, status="off", error=why)
        told = Notification(row, definition, owner.base_url, HEARTBEAT, now)
        text = told.bundle().decode() if definition.topic else f"off {known.id}"
        payload = {"room": room_of(known.id, owner), "ended": text}
        self._application.outbox.emit(session, WEBSOCKET, payload)

    def _hand_over(self, session: Session, known: Row | None, change: Change) -> None:
        """Forget what was told to another owner: the new one may not see it, perhaps."""
        before = self._table.owner(change.id, known.version, session) if known else None
        after = self._table.owner(change.id, change.version, session)
        others = before is not None and (
            after is None or not before.is_of(after.principal)
        )
        self._table.forget_before(session, change.id, change.version, events=others)

    def _begin(self, session: Session, change: Change, resource: Any) -> None:
        """Shake hands, or go on without where the channel or the subscription has none."""
        definition = read(resource)
        channel = self._channels.get(definition.channel)
        # What waits is of another endpoint, perhaps; it can be had by $events.
        self._application.outgoing.forget(session, SENDER, change.id)
        self._table.note_failed(session, change.id, 0, "")
        if channel is not None and channel.shakes_hands and definition.topic:
            told = {"kind": HANDSHAKE}
            self._application.outgoing.put(session, SENDER, change.id, told)
        else:
            self.want(session, change.id, "active", version=change.version)

    def want(
        self,
        session: Session,
        id: str,
        status: str,
        *,
        why: str = "",
        version: int | None = None,
    ) -> None:
        """Have a subscription brought to a state after the commit.

        :param version: of the resource, if only that one is meant.
        """
        told = {"id": id, "status": status, "why": why, "version": version}
        self._application.jobs.submit(session, JOB, told)

    def note_failures(self, session: Session, id: str, failures: int, why: str) -> None:
        """Bring a subscription that is not taken to ``error``, and in the end off."""
        if failures == self._settings.error_after:
            self.want(session, id, "error", why=why)
        elif failures == self._settings.off_after:
            told = f"given up after {failures} failures in a row; the last: {why}"
            self.want(session, id, "off", why=told)

    def broken(self, row: Row, error: FyrError) -> None:
        """Turn off a subscription that is not understood, or not allowed, any more."""
        log.warning("subscription is turned off", subscription=row.id, why=str(error))
        self._application.database.write(
            lambda session: self.want(session, row.id, "off", why=str(error))
        )

    def run(self, context: JobContext) -> str:
        """Write the state into the resource.

        :raises PreconditionFailed: somebody else wrote it; the job comes again.
        """
        asked = context.arguments
        stored = self._application.resources.read(KIND, asked["id"])
        if stored is None or stored.body is None:
            return "gone"
        if asked["version"] not in (None, stored.version):
            return "another version"
        resource = json.own(stored.body)
        if resource.get("status") not in STEPS[asked["status"]]:
            return f"it is {resource.get('status')}"
        row = self._table.row(asked["id"])
        if asked["status"] == "error" and row is not None and not row.failures:
            return "it is well again"
        resource["status"] = asked["status"]
        resource.pop("error", None)
        if asked["why"]:
            resource["error"] = asked["why"]
        self._write(resource, stored.version, context)
        return str(asked["status"])

    def _write(self, resource: Any, version: int, context: JobContext) -> None:
        request = RequestContext(
            self._application.services.everything,
            "update",
            KIND,
            resource["id"],
            principal=SYSTEM,
            trace_id=f"job-{context.id}",
        )
        self._application.interactions.update(
            request, Incoming(resource), (str(version),)
        )

    def tend(self, context: JobContext) -> dict[str, int]:
        """Look after ends, heartbeats, and what is kept too long."""
        now = to_millis(self._application.clock())
        self._look_for_servers(now)
        ended, beats = self._end_unshown(), 0
        for row in self._table.rows("active", "error", "requested"):
            definition = read(row.resource())
            if definition.end and definition.end <= now:
                ended += self._end(row.id, definition.end)
            elif row.status in TOLD and _is_silent(row, definition.heartbeat, now):
                beats += self._beat(row, now)
        keep_millis = int(self._settings.keep_days * 24 * 3600 * 1000)
        self._application.database.write(
            lambda session: self._table.trim(session, now - keep_millis, now)
        )
        return {"ended": ended, "heartbeats": beats}

    def _look_for_servers(self, now: int) -> None:
        """Note whether broker and mail server are there while nothing goes over them."""
        for name, channel in self._channels.items():
            if isinstance(channel, Email):
                if now < self._mail_due:
                    continue
                self._mail_due = now + _MAIL_MILLIS
            elif not isinstance(channel, MqttChannel):
                continue
            self._away[name] = ""
            try:
                channel.check()
            except Away as away:
                self._away[name] = str(away)
        if self._away:
            why = "; ".join(filter(None, self._away.values()))
            self._application.outgoing.mark(SENDER, why)

    def _end(self, id_: str, end: int) -> bool:
        """Turn one off whose end is reached, once all of before it is told."""

        def work(session: Session) -> bool:
            row = self._table.row(id_, session)
            if row is None or self._is_owed(session, row, end):
                return False
            self.want(session, id_, "off", why="its end is reached")
            return True

        return self._application.database.write(work)

    def _is_owed(self, session: Session, row: Row, end: int) -> bool:
        """Tell whether something of before its end is still to be told.

        A receiver that fails is not waited for.
        """
        if row.status not in TOLD or row.failures:
            return False
        application = self._application
        return not application.outbox.has_told(
            session, CONSUMER, end
        ) or application.outgoing.waits(SENDER, row.id, session)

    def _end_unshown(self) -> int:
        """Turn off those whose owners have not shown their rights for too long."""
        over = self._rights.over()
        why = (
            f"nobody was here for {self._rights.days:g} days with the rights that it was"
            " written with: write it again"
        )

        def work(session: Session) -> None:
            for id_ in over:
                self.want(session, id_, "off", why=why)

        if over:
            self._application.database.write(work)
        return len(over)

    def _beat(self, row: Row, now: int) -> int:
        """Put a heartbeat into a queue in which nothing else is."""
        queue = self._application.outgoing
        if queue.waits(SENDER, row.id):
            return 0
        self._application.database.write(
            lambda session: queue.put(session, SENDER, row.id, {"kind": HEARTBEAT})
        )
        return 1


def _is_silent(row: Row, heartbeat: int, now: int) -> bool:
    return bool(heartbeat) and now - row.last_sent >= heartbeat * 1000


def _row(change: Change, status: str, body: str, now: int, since: int) -> Row:
    return Row(change.id, change.version, status, body, since, 0, 0, now, 0, "")
