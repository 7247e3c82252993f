"""Keeps a store that does not answer from taking all threads that ask it.

Each of them would wait as long as the first. So once one has waited in vain, one at a
time may try again, and the others are told at once that the store is away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from fyr.core.errors import Unavailable


class Breaker:
    """Knows whether a store answered the last time; safe to share between threads."""

    def __init__(self) -> None:
        """Begin with a store that is believed to answer."""
        self._away = False
        self._trying = Lock()

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Let a call pass; whoever raises :class:`Unreachable` in it, closes the way.

        :raises Unavailable: the store is away, and somebody else is just trying.
        """
        if not self._away:
            with self._watched():
                yield
        elif self._trying.acquire(blocking=False):
            try:
                with self._watched():
                    yield
            finally:
                self._trying.release()
        else:
            raise Unavailable("the blob store cannot be reached")

    @contextmanager
    def _watched(self) -> Iterator[None]:
        away = False
        try:
            yield
        except Unreachable:
            away = True
            raise
        finally:
            # An answer that is an error is an answer too.
            self._away = away


class Unreachable(Unavailable):
    """Nobody answers at all."""
