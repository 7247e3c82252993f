"""The last items of a stream, in memory: what clients that keep up are told from."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from fyr.core.streams.stream import StreamItem

#: More is read from the store by whoever has fallen behind so far.
MOST_ITEMS = 2000
MOST_CHARACTERS = 4_000_000


class Window:
    """All items of the changes after ``since``, up to and with ``position``."""

    def __init__(
        self,
        position: int = 0,
        *,
        most: int = MOST_ITEMS,
        characters: int = MOST_CHARACTERS,
    ) -> None:
        """Begin empty, after a position."""
        self._most = most
        self._most_characters = characters
        self._moved = asyncio.Event()
        self._closed = False
        self.begin(position)

    def begin(self, position: int) -> None:
        """Forget everything, and go on after a position."""
        self.since = self.position = position
        self._items: deque[StreamItem] = deque()
        self._characters = 0

    def add(self, position: int, items: Sequence[StreamItem]) -> None:
        """Take the items of all changes up to a position, and wake who waits."""
        self._items.extend(items)
        self._characters += sum(len(item.data) for item in items)
        self.position = position
        while len(self._items) > self._most or self._characters > self._most_characters:
            self._drop()
        self.wake()

    def after(self, number: int) -> list[StreamItem] | None:
        """Give what follows a number; ``None`` where it begins later."""
        if number < self.since:
            return None
        found = []
        for item in reversed(self._items):
            if item.number <= number:
                break
            found.append(item)
        found.reverse()
        return found

    def wake(self) -> None:
        """Let all who wait look again."""
        self._moved.set()
        self._moved = asyncio.Event()

    def close(self) -> None:
        """Let nobody wait any more."""
        self._closed = True
        self.wake()

    async def wait(self, number: int, seconds: float) -> bool:
        """Wait for what follows a number, and tell whether there is something to do."""
        if self.position > number or self._closed:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def _drop(self) -> None:
        """Let the oldest change go, with all its items."""
        self.since = self._items[0].number
        while self._items and self._items[0].number == self.since:
            self._characters -= len(self._items.popleft().data)
