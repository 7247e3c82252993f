"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

#: A Thursday morning on which nothing special happens.
START = datetime(2026, 1, 8, 8, 0, tzinfo=UTC)


class FakeClock:
    """Tells the same moment until :meth:`advance`; pass it where a ``Clock`` is taken."""

    def __init__(self, now: datetime = START) -> None:
        """Begin at a moment with its time zone."""
        self.now = now

    def __call__(self) -> datetime:
        """Tell the moment."""
        return self.now

    def advance(self, **by: float) -> datetime:
        """Move on, by what ``timedelta`` takes: ``advance(hours=2, seconds=0.5)``."""
        self.now += timedelta(**by)
        return self.now
