"""The time of the story, which processes may have in common."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path


class Clock:
    """Tells the time of the story: it goes as time does, and ahead when it is told to."""

    def __init__(self) -> None:
        """Begin now."""
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        """Tell the moment."""
        return datetime.now(UTC) + self._ahead

    def go_to(self, moment: datetime) -> None:
        """Go ahead to a moment; never back."""
        self._ahead += max(moment - self(), timedelta())


class SharedClock(Clock):
    """The clock of several processes: a file says how far ahead it is, in seconds.

    One of them moves it.
    """

    def __init__(self, file: Path) -> None:
        """Take the file; until it is there the time is now."""
        super().__init__()
        self._file = file

    def __call__(self) -> datetime:
        """Tell the moment."""
        ahead = self._file.read_text() if self._file.exists() else "0"
        self._ahead = timedelta(seconds=float(ahead))
        return super().__call__()

    def go_to(self, moment: datetime) -> None:
        """Go ahead to a moment; never back."""
        super().go_to(moment)
        new = self._file.with_suffix(".new")
        new.write_text(str(self._ahead.total_seconds()))
        new.replace(self._file)
