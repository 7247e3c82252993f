"""Which change each topic told of last, so that a message says what came before it.

A subscriber that has not seen the event with ``previousEventNumber`` has missed it. What
is kept moves with the consumer's cursor, when the broker has acknowledged, so a repeat
says the same as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from fyr.core.events.consumers import Note
from fyr.core.messages.message import Message
from fyr.core.store.port import Database

NUMBER, PREVIOUS = "eventNumber", "previousEventNumber"

_LAST = (
    "SELECT topic, number FROM message_topic WHERE source = ? AND topic IN ({marks})"
)
_KEEP = """
    INSERT INTO message_topic (source, topic, number) VALUES (?, ?, ?)
    ON CONFLICT (source, topic) DO UPDATE SET number = excluded.number
    WHERE message_topic.number < excluded.number
"""


class Chain:
    """The last numbers of one source, in the database that its changes are in."""

    def __init__(self, database: Database, source: str) -> None:
        """Take whose they are."""
        self._database = database
        self._source = source

    def links(self) -> Links:
        """Begin to link the messages of one batch."""
        return Links(self._last, self._note)

    def keep(self, links: Links) -> None:
        """Note the messages of a batch, which the broker has, at once."""
        if (note := links.note()) is not None:
            self._database.write(note)

    def _last(self, topics: Iterable[str]) -> dict[str, int]:
        asked = sorted(topics)
        sql = _LAST.format(marks=", ".join("?" * len(asked)))
        rows = self._database.rows(sql, (self._source, *asked))
        return {topic: number for topic, number in rows}

    def _note(self, last: Mapping[str, int]) -> Note:
        # In one order, so that two transactions do not wait for each other.
        rows = [(self._source, topic, last[topic]) for topic in sorted(last)]
        return lambda session: session.run_many(_KEEP, rows)


class Links:
    """The messages of one batch, linked as they are made."""

    def __init__(
        self,
        ask: Callable[[Iterable[str]], dict[str, int]],
        note: Callable[[Mapping[str, int]], Note],
    ) -> None:
        """Take what tells the last numbers of topics, and what notes them."""
        self._ask = ask
        self._note = note
        self._known: set[str] = set()
        self._last: dict[str, int] = {}
        #: numbers of the messages of this batch, by topic
        self._here: dict[str, int] = {}

    def linked(self, messages: Sequence[Message]) -> list[Message]:
        """Give the next messages with the number before, where it is known.

        It is not for a topic's first message, and for those of a replay.
        """
        if unknown := {one.topic for one in messages} - self._known:
            self._last |= self._ask(unknown)
            self._known |= unknown
        return [self._link(one) for one in messages]

    def note(self) -> Note | None:
        """Give what notes them once the broker has all, in the cursor's transaction."""
        return self._note(self._here) if self._here else None

    def _link(self, one: Message) -> Message:
        number, before = int(one.properties[NUMBER]), self._last.get(one.topic)
        again = before == number and one.topic in self._here
        self._last[one.topic] = max(before or 0, number)
        self._here[one.topic] = number
        if before is None or not (before < number or again):
            return one
        return replace(one, properties={**one.properties, PREVIOUS: str(before)})
