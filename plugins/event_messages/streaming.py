"""``/events`` as it happens: server-sent events, and a websocket of the same messages.

The same messages, topics and rights as those of the pages; ``Last-Event-ID`` or ``after``
tells what was seen last. Without either a client begins with what comes next.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from fyr.core import Change, Invalid, Stream, StreamItem, StreamListener
from fyr.core.messages.topics import is_wanted
from fyr.plugins.event_messages.catching_up import PATH, Rights, Told, asked_for, line

if TYPE_CHECKING:
    from fyr.core.context import RequestContext


class Listening(StreamListener):
    """One subscriber, with the topics that it chose."""

    def __init__(
        self, rights: Rights, after: int | None, topics: Collection[str]
    ) -> None:
        """Take what it asked for, and by what it may."""
        self.after = after
        self._rights = rights
        self._topics = topics

    def recheck(self, context: RequestContext) -> None:
        """Look whether it has the privilege still.

        :raises Forbidden: it has not.
        """
        self._rights.check(context)

    def wants(self, item: StreamItem) -> bool:
        """Whether it chose the topic."""
        return is_wanted(item.topic, self._topics)


class Streaming:
    """Makes items of changes and listeners of requests."""

    def __init__(self, told: Told, rights: Rights) -> None:
        """Take what is told, and who may ask."""
        self._told = told
        self._rights = rights

    def stream(self) -> Stream:
        """Give the stream."""
        documentation = "Events as they happen, as server-sent events or a websocket."
        return Stream(PATH, documentation, self._items, self._open)

    def _items(self, changes: Sequence[Change]) -> Iterator[StreamItem]:
        self._told.read_ahead(changes)
        for change in changes:
            for message in self._told.messages(change):
                text = line(message).decode().rstrip()
                yield StreamItem(change.position, message.topic, text)

    def _open(self, context: RequestContext) -> Listening:
        """Let a client in.

        :raises Forbidden: the principal is no system, or has not the privilege.
        :raises Invalid: a parameter is unknown or wrong.
        """
        self._rights.check(context)
        names = {name for name, _ in context.params}
        if "count" in names:
            raise Invalid("count is for pages; a stream has no end")
        asked = asked_for(context.params, self._told.names)
        after = asked.after if "after" in names else None
        return Listening(self._rights, after, asked.topics)
