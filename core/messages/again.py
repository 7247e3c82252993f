"""Messages published again on demand, beside the consumer that published them first.

For subscribers who lost some and cannot ask over HTTP. The messages are the same, ``id``
included; the consumer's cursor stays where it is, so they come among newer ones.
"""

from __future__ import annotations

from collections.abc import Callable

from fyr.core.events.change import read_ahead
from fyr.core.events.outbox import Outbox
from fyr.core.messages.message import MessageSource, Publisher
from fyr.core.messages.sending import sent_as

_AT_ONCE = 500


def publish_again(
    outbox: Outbox,
    source: MessageSource,
    publisher: Publisher,
    after: int,
    wants: Callable[[str], bool],
) -> int:
    """Publish what a source told after a position, and tell how many messages that were.

    :param wants: tells of a topic whether it is wanted.
    :raises Unavailable: the broker is away; what came before has been published.
    """
    count, head = 0, outbox.head()
    while after < head:
        changes = [one for one in outbox.read(after, _AT_ONCE) if one.position <= head]
        if not changes:
            break
        after = changes[-1].position
        read_ahead([one for one in changes if source.tells(one)])
        messages = [
            message
            for change in changes
            for message in sent_as(source, change)
            if wants(message.topic)
        ]
        publisher.publish(messages)
        count += len(messages)
    return count
