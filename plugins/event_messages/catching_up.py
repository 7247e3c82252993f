"""``GET /events``: what was told after an event, for who missed it, as pages of NDJSON.

A line is a message as it was published, ``id`` and ``eventNumber`` included: what every
plugin publishes. The messages are made anew from what is stored, so a page costs what it
holds and not what came before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
import structlog

from fyr.core import (
    Change,
    Forbidden,
    FyrError,
    Invalid,
    Issue,
    Message,
    MessageSource,
)
from fyr.core.events.change import read_ahead
from fyr.core.messages import sent_as
from fyr.core.messages.topics import is_wanted, unknown

if TYPE_CHECKING:
    import falcon

    from fyr.core.context import RequestContext
    from fyr.core.events import Outbox
    from fyr.plugins.event_messages.settings import EventMessagesSettings

log = structlog.get_logger(__name__)

PATH = "/events"
_NDJSON = "application/x-ndjson"
#: Messages of a page, unless fewer are asked for.
_PAGE = 1000
#: Changes that are looked at for a page, at most: few may be told of.
_CHANGES = 5000
_AT_ONCE = 500
_PARAMETERS = ("after", "topic", "count")


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the events is wanted."""

    after: int
    topics: frozenset[str]
    count: int


@dataclass(slots=True)
class Page:
    """Messages, and the number after which the next page begins."""

    messages: list[Message]
    after: int


class Rights:
    """Who may ask for events."""

    def __init__(self, settings: EventMessagesSettings) -> None:
        """Take the privilege."""
        self._privilege = settings.privilege

    def check(self, context: RequestContext) -> None:
        """Refuse who may not.

        :raises Forbidden: the principal is no system, or has not the privilege.
        """
        wanted, principal = self._privilege, context.principal
        # Whoever asks a server in open mode may do everything.
        if principal.unrestricted:
            return
        if principal.user_type != "SYSTEM":
            raise Forbidden("events are told to systems, not to persons")
        if wanted and wanted not in principal.privileges:
            raise Forbidden(f"events are told to those who have {wanted}")


class Told:
    """What all that publish messages tell of a change."""

    def __init__(self, sources: Sequence[MessageSource]) -> None:
        """Take who publishes."""
        self._sources = sources

    @property
    def names(self) -> Collection[str]:
        """All names of topics; none where somebody does not say theirs."""
        if not all(source.kinds for source in self._sources):
            return ()
        return {name for source in self._sources for name in source.kinds}

    def read_ahead(self, changes: Sequence[Change]) -> None:
        """Read what the messages of changes are made of, at once."""
        read_ahead(
            [one for one in changes if any(told.tells(one) for told in self._sources)]
        )

    def messages(self, change: Change) -> list[Message]:
        """Give the messages of a change; what one of them fails at is left out."""
        return [
            message for source in self._sources for message in self._of(source, change)
        ]

    def _of(self, source: MessageSource, change: Change) -> list[Message]:
        try:
            return sent_as(source, change)
        except FyrError:
            raise
        except Exception:
            log.exception(
                "an event is left out", source=source.name, position=change.position
            )
            return []


class Events:
    """The resource."""

    def __init__(self, outbox: Outbox, told: Told, rights: Rights) -> None:
        """Take what has happened, what is told of it, and who may ask."""
        self._outbox = outbox
        self._told = told
        self._rights = rights

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer a page.

        :raises Forbidden: the principal is no system, or has not the privilege.
        :raises Invalid: a parameter is unknown or wrong.
        :raises Gone: events after that number have been removed.
        """
        context: RequestContext = req.context.caller
        self._rights.check(context)
        asked = asked_for(context.params, self._told.names)
        head = self._outbox.head()
        self._outbox.require_kept(asked.after)
        page = self.page(asked)
        query = [("after", str(page.after)), ("count", str(asked.count))]
        query += [("topic", topic) for topic in sorted(asked.topics)]
        resp.set_header("Link", f'<{PATH}?{urlencode(query)}>; rel="next"')
        resp.set_header("Fyr-Events-After", str(page.after))
        resp.set_header("Fyr-Events-Head", str(max(head, page.after)))
        resp.set_header("Cache-Control", "no-store")
        resp.content_type = _NDJSON
        resp.data = b"".join(map(line, page.messages))

    def page(self, asked: Asked) -> Page:
        """Make a page; it ends with a whole change."""
        page = Page([], asked.after)
        for change in self._changes(asked.after):
            page.messages += [
                one
                for one in self._told.messages(change)
                if is_wanted(one.topic, asked.topics)
            ]
            page.after = change.position
            if len(page.messages) >= asked.count:
                break
        return page

    def _changes(self, after: int) -> Iterator[Any]:
        for _ in range(_CHANGES // _AT_ONCE):
            changes = self._outbox.read(after, _AT_ONCE)
            self._told.read_ahead(changes)
            yield from changes
            if len(changes) < _AT_ONCE:
                return
            after = changes[-1].position


def asked_for(params: Iterable[tuple[str, str]], names: Collection[str]) -> Asked:
    """Read the parameters.

    :param names: of the topics that there are.
    :raises Invalid: one is unknown or wrong; all of them at once.
    """
    problems, numbers, topics = [], {"after": 0, "count": _PAGE}, set()
    for name, value in params:
        if name == "topic":
            topics.add(value)
        elif name not in numbers:
            problems.append(f"{name} is none of {', '.join(_PARAMETERS)}")
        elif not (value.isascii() and value.isdigit() and len(value) < 19):
            problems.append(f"{name} is a number from 0: {value!r}")
        else:
            numbers[name] = int(value)
    problems += unknown(topics, names)
    if problems:
        raise Invalid([Issue("invalid", told) for told in problems])
    return Asked(
        numbers["after"], frozenset(topics), max(1, min(numbers["count"], _PAGE))
    )


def line(message: Message) -> bytes:
    """Write a message as a line."""
    told = {
        "topic": message.topic,
        "properties": message.properties,
        "body": orjson.Fragment(message.payload),
    }
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)
