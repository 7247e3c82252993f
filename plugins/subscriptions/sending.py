"""The sender: takes messages from the queues and makes notifications of them.

A message says only that there is something: ``{"kind": "event", "number": 7}``. What it is
about is read when it is sent, in the name of who wrote the subscription.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fyr.core import Away, Dropped, Outgoing, SendFailed, Session, Undeliverable
from fyr.core.clock import to_millis
from fyr.plugins.subscriptions.definition import Definition, read
from fyr.plugins.subscriptions.notifications import (
    EVENTS,
    HANDSHAKE,
    HEARTBEAT,
    Notification,
)

if TYPE_CHECKING:
    from fyr.core.clock import Clock
    from fyr.plugins.subscriptions.channels.channel import Channel
    from fyr.plugins.subscriptions.guard import Guard
    from fyr.plugins.subscriptions.rows import Event, Owner, Row
    from fyr.plugins.subscriptions.states import States
    from fyr.plugins.subscriptions.table import Table

#: Messages that are taken from a queue at once.
AT_ONCE = 100


class Sending:
    """Sends, and notes how that went."""

    def __init__(
        self,
        table: Table,
        guard: Guard,
        channels: Mapping[str, Channel],
        states: States,
        full_resource: frozenset[str],
        clock: Clock,
    ) -> None:
        """Take the channels, and those of them that may carry resources."""
        self._table = table
        self._guard = guard
        self._channels = channels
        self._states = states
        self._full_resource = full_resource
        self._clock = clock

    def send(self, messages: Sequence[Outgoing]) -> int:
        """Send the first, with those that go along, and tell how many that were.

        :raises fyr.core.SendFailed: they were not taken.
        """
        row = self._table.row(messages[0].destination)
        owner = self._table.owner(row.id, row.version) if row else None
        if row is None or owner is None or row.status == "off":
            return len(messages)
        definition = read(row.resource())
        channel = self._channels.get(definition.channel)
        if channel is None:
            return len(messages)
        together = _together(messages, definition.max_count)
        notification = self._notification(row, owner, definition, together)
        if notification is not None:
            _send(channel, notification, owner)
        return len(together)

    def _notification(
        self,
        row: Row,
        owner: Owner,
        definition: Definition,
        messages: Sequence[Outgoing],
    ) -> Notification | None:
        """Make the notification; ``None``: it is out of date."""
        kind = messages[0].payload["kind"]
        events: list[Event] = []
        if kind == "event":
            first, last = (messages[at].payload["number"] for at in (0, -1))
            events = self._table.events(row.id, first, last, len(messages))
            if not events:
                return None
        return self.notification(row, owner, definition, kind, events)

    def notification(
        self,
        row: Row,
        owner: Owner,
        definition: Definition,
        kind: str,
        events: Sequence[Event] = (),
    ) -> Notification:
        """Make a notification for the owner of a subscription."""
        return Notification(
            row,
            definition,
            owner.base_url,
            EVENTS if kind == "event" else kind,
            to_millis(self._clock()),
            events,
            lambda event: self._guard.shown(owner, event),
            self.content(definition),
        )

    def held_up(self, session: Session, messages: Sequence[Outgoing]) -> None:
        """Note why nothing comes, which is no failure of the subscription."""
        self._table.note_waits(session, messages[0].destination, messages[0].error)

    def host(self, destination: str) -> str:
        """Tell the host of a subscription's endpoint; empty: it has none."""
        row = self._table.row(destination)
        endpoint = read(row.resource()).endpoint if row else ""
        try:
            # An address of mail is somebody's: its domain is enough.
            return urlsplit(endpoint).hostname or mail_domain(endpoint)
        except ValueError:
            return ""

    def content(self, definition: Definition) -> str:
        """Tell what is sent of resources: never more than the channel may carry."""
        full = definition.content == "full-resource"
        if full and definition.channel not in self._full_resource:
            return "id-only"
        return definition.content

    def sent(self, session: Session, messages: Sequence[Outgoing]) -> None:
        """Note what was taken; a subscription that had failed is well again."""
        id_ = messages[0].destination
        row = self._table.row(id_, session)
        if row is None:
            return
        numbers = [one.payload.get("number", 0) for one in messages]
        now = to_millis(self._clock())
        self._table.note_sent(session, id_, max(numbers), now)
        kinds = {one.payload["kind"] for one in messages}
        shaken = HANDSHAKE in kinds and row.status == "requested"
        if shaken or row.status == "error":
            # Of this version only: one that was written meanwhile has its own handshake.
            self._states.want(session, id_, "active", version=row.version)

    def failed(
        self, session: Session, messages: Sequence[Outgoing], failures: int
    ) -> None:
        """Note what was not taken, and give a subscription up in the end."""
        id_, why = messages[0].destination, messages[0].error
        row = self._table.row(id_, session)
        # Of its own: its destination counts too what is not the receiver's fault.
        failures = row.failures + 1 if row else failures
        self._table.note_failed(session, id_, failures, why)
        given_up = [one for one in messages if one.state == "dead"]
        if any(one.payload["kind"] == HANDSHAKE for one in given_up):
            told = f"the handshake was not taken: {why}"
            self._states.want(session, id_, "off", why=told)
        else:
            self._states.note_failures(session, id_, failures, why)


def mail_domain(endpoint: str) -> str:
    """Tell the domain of ``mailto:somebody@example.org?…``; empty: it is no mail."""
    if not endpoint.lower().startswith("mailto:"):
        return ""
    return urlsplit(endpoint).path.rpartition("@")[2]


def _send(channel: Channel, notification: Notification, owner: Owner) -> None:
    """Send it, and say what a failure means.

    A heartbeat that was missed is not sent later, and a handshake is tried again
    whatever the receiver answers: it may not be ready yet.
    """
    try:
        channel.send(notification, owner)
    except Away:
        raise
    except SendFailed as failed:
        if notification.kind == HEARTBEAT:
            raise Dropped(str(failed), wait_seconds=failed.wait_seconds) from None
        if notification.kind == HANDSHAKE and isinstance(failed, Undeliverable):
            raise SendFailed(str(failed)) from None
        raise


def _together(messages: Sequence[Outgoing], most: int) -> Sequence[Outgoing]:
    """Tell which of the first messages are one notification."""
    if messages[0].payload["kind"] != "event":
        return messages[:1]
    count = 0
    for message in messages[:most]:
        if message.payload["kind"] != "event":
            break
        count += 1
    return messages[:count]
