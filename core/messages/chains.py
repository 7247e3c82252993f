"""Which change each topic told of last, so that a message says what came before it.

A subscriber that has not seen the event with ``previousEventNumber`` has missed it. What
is kept moves with the consumer's cursor, when the broker has acknowledged, so a repeat
says the same as before.
"""

from __future__ import annotations

from collections.abc import Sequence
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

    def linked(self, messages: Sequence[Message]) -> list[Message]:
        """Give the messages with the number before, where it is known.

        It is not for a topic's first message, and for those of a replay.
        """
        topics = sorted({one.topic for one in messages})
        sql = _LAST.format(marks=", ".join("?" * len(topics)))
        rows = self._database.rows(sql, (self._source, *topics))
        last: dict[str, int] = {topic: number for topic, number in rows}
        made, here = [], set()
        for one in messages:
            number, before = int(one.properties[NUMBER]), last.get(one.topic)
            follows = before is not None and before < number
            if follows or (before == number and one.topic in here):
                texts = {**one.properties, PREVIOUS: str(before)}
                made.append(replace(one, properties=texts))
            else:
                made.append(one)
            last[one.topic] = max(before or 0, number)
            here.add(one.topic)
        return made

    def note(self, messages: Sequence[Message]) -> Note:
        """Give what notes messages that the broker has, in the cursor's transaction."""
        last = {one.topic: int(one.properties[NUMBER]) for one in messages}
        # In one order, so that two transactions do not wait for each other.
        rows = [(self._source, topic, last[topic]) for topic in sorted(last)]
        return lambda session: session.run_many(_KEEP, rows)

    def keep(self, messages: Sequence[Message]) -> None:
        """Note messages that the broker has, at once."""
        self._database.write(self.note(messages))
