"""From changes to a broker: the consumer that each source of messages is made into.

A consumer's cursor moves when the broker has acknowledged, so that what was told before
a crash may be told again: with the same ``id``, by which a subscriber drops repeats, and
the same ``eventNumber``, after which it may ask ``/events`` for what it missed. That it
missed something ``previousEventNumber`` tells (:mod:`fyr.core.messages.chains`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from fyr.core.errors import NotFound
from fyr.core.events.change import Change, read_ahead
from fyr.core.events.consumers import Consumer
from fyr.core.messages.chains import NUMBER, Chain, Links
from fyr.core.messages.message import Message, MessageSource, Publisher

#: Properties that every message has besides its own.
ID, DESTINATION = "id", "destination"
#: Changes whose messages are made in one go.
_AT_ONCE = 50


def sent_as(source: MessageSource, change: Change) -> list[Message]:
    """Give the messages of one change as they are sent: with id and number.

    The number is the change's position in the outbox; several messages of one change
    have it in common.
    """
    if not source.tells(change):
        return []
    number = str(change.position)
    return [
        replace(
            message,
            id=(id := message.id or f"{source.name}-{change.key}-{index}"),
            properties={
                **message.properties,
                DESTINATION: f"topic://{message.topic}",
                ID: id,
                NUMBER: number,
            },
        )
        for index, message in enumerate(source.messages(change))
    ]


def consumer_of(
    source: MessageSource,
    publisher: Publisher,
    chain: Chain,
    *,
    longest_rest: float | None = None,
) -> Consumer:
    """Make the consumer that publishes what a source tells.

    :param chain: tells each message what came before it.
    :param longest_rest: seconds between two tries to reach a broker that is away.
    """

    def publish(changes: Sequence[Change]) -> Links:
        links = chain.links()
        read_ahead(changes)
        publisher.publish(_made(source, changes, links))
        return links

    def handle(change: Change) -> None:
        # The next one of a batch is linked to it before the cursor is written.
        chain.keep(publish([change]))

    return Consumer(
        source.name,
        handle,
        types=source.types,
        topics=source.topics,
        handle_many=lambda changes: publish(changes).note(),
        longest_rest=longest_rest,
        check=publisher.check,
    )


def source_named(sources: Iterable[MessageSource], name: str) -> MessageSource:
    """Find a source.

    :raises NotFound: there is none of this name.
    """
    for source in sources:
        if source.name == name:
            return source
    raise NotFound(f"no source of messages is named {name}")


def _made(
    source: MessageSource, changes: Sequence[Change], links: Links
) -> Iterator[Message]:
    """Make messages as they are asked for: some are made while others are under way."""
    for start in range(0, len(changes), _AT_ONCE):
        yield from links.linked(
            [
                message
                for change in changes[start : start + _AT_ONCE]
                for message in sent_as(source, change)
            ]
        )
