"""How long to wait before a repeat: doubling, bounded, with jitter.

Jitter keeps many that failed together from coming back together; the wait is between
half and all of the doubled one, so that it also grows without luck.
"""

from dataclasses import dataclass
from random import Random

from fyr.config.settings import EventSettings

_RANDOM = Random()


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits in milliseconds, by the number of the attempt that failed."""

    first: int
    longest: int
    random: Random = _RANDOM

    @classmethod
    def of(cls, settings: EventSettings) -> "Backoff":
        """Take the waits from the settings."""
        return cls(
            int(settings.backoff_seconds * 1000),
            int(settings.backoff_max_seconds * 1000),
        )

    def after(self, attempt: int) -> int:
        """Tell the wait after the attempt with this number, the first being 1."""
        # 2**40 ms is beyond any longest wait, and keeps the number small.
        whole = min(self.longest, self.first << min(attempt - 1, 40))
        return int(whole * self.random.uniform(0.5, 1.0))
