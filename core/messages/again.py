"""Messages published again on demand, beside the consumer that published them first.

For subscribers who lost some and cannot ask over HTTP. The messages are the same, ``id``
included; the consumer's cursor stays where it is, so they come among newer ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fyr.core.errors import FyrError, Unavailable
from fyr.core.events.change import Change, read_ahead
from fyr.core.events.outbox import Outbox
from fyr.core.messages.message import (
    Message,
    MessageRefused,
    MessageSource,
    Publisher,
)
from fyr.core.messages.sending import sent_as

_AT_ONCE = 500


def publish_again(
    outbox: Outbox,
    source: MessageSource,
    publisher: Publisher,
    after: int,
    wants: Callable[[str], bool],
    problem: Callable[[str], None],
) -> int:
    """Publish what a source told after a position, and tell how many messages that were.

    :param wants: tells of a topic whether it is wanted.
    :param problem: hears, in a sentence, of what is left out.
    :raises Unavailable: the broker is away; it says after which position to go on.
    """
    count, head = 0, outbox.head()
    while after < head:
        changes = [one for one in outbox.read(after, _AT_ONCE) if one.position <= head]
        if not changes:
            break
        read_ahead([one for one in changes if source.tells(one)])
        messages = [
            message
            for change in changes
            for message in _made(source, change, problem)
            if wants(message.topic)
        ]
        try:
            publisher.publish(messages)
        except MessageRefused as refused:
            problem(str(refused))
        except Unavailable as away:
            told = (
                f"{away}; {count:,} messages were published: go on with --after {after}"
            )
            raise Unavailable(told) from None
        count += len(messages)
        after = changes[-1].position
    return count


def _made(
    source: MessageSource, change: Change, problem: Callable[[str], None]
) -> Sequence[Message]:
    """Make the messages of a change; where none can be made it is left out."""
    try:
        return sent_as(source, change)
    except FyrError:
        raise
    except Exception as error:
        problem(f"event {change.position} is left out: {error or type(error).__name__}")
        return []
