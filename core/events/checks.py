"""Looks whether what consumers need is there, while there is nothing to tell them.

Else a broker that is away is noticed only by the first event that it does not get.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from fyr.core.errors import Unavailable
from fyr.core.events.offering import ERROR_CHARACTERS
from fyr.core.one_line import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fyr.core.events.consumers import Consumer, Cursors

log = structlog.get_logger(__name__)

#: How often it is looked for, in seconds, where the consumer says nothing; and what is away.
_EVERY_SECONDS = 10.0
_AWAY_SECONDS = 1.0


class Checks:
    """The looks of one process; each consumer is asked by one thread at a time."""

    def __init__(self, consumers: Mapping[str, Consumer], cursors: Cursors) -> None:
        """Take the consumers; those that can tell are asked at once."""
        self._consumers = consumers
        self._cursors = cursors
        self._due = {
            name: 0.0 for name, one in consumers.items() if one.check is not None
        }
        self._away: set[str] = set()

    def due(self) -> list[str]:
        """Tell who is to be asked."""
        now = time.monotonic()
        return [name for name, at in self._due.items() if at <= now]

    def run(self, name: str) -> None:
        """Ask a consumer whether what it needs is there, and note what it says.

        Its cursor stays where it is, and the first event is tried all the same.
        """
        consumer = self._consumers[name]
        assert consumer.check is not None
        seconds = consumer.longest_rest or _EVERY_SECONDS
        why = ""
        try:
            consumer.check()
        except Unavailable as away:
            why = one_line(str(away), ERROR_CHARACTERS)
            self._away.add(name)
        if self._cursors.note_check(name, why):
            told = "what a consumer needs is away" if why else "it is back"
            log.warning(told, consumer=name, problem=why)
            if not why:
                self._away.discard(name)
        if name in self._away:
            # Until it is noted that it is back, which may wait for the end of a rest.
            seconds = min(seconds, _AWAY_SECONDS)
        self._due[name] = time.monotonic() + seconds
