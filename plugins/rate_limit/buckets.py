"""Token buckets: https://en.wikipedia.org/wiki/Token_bucket."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock


class Buckets:
    """A bucket for each key, as many as are remembered.

    Each holds ``burst`` tokens at first and gets ``rate`` more in a second, but never
    more than ``burst``. A bucket that nobody has asked for lately is forgotten once there
    are too many, and is full again; so is one whose clock went back.
    """

    def __init__(self, rate: float, burst: float, most: int) -> None:
        """Take the tokens in a second, those at once, and the number of keys."""
        self._rate = rate
        self._burst = float(burst)
        self._most = most
        self._lock = Lock()
        #: key -> tokens, and the moment at which they were counted
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()

    @property
    def limits(self) -> bool:
        """Whether there is any limit."""
        return self._rate > 0

    def __len__(self) -> int:
        """Tell how many are remembered."""
        return len(self._kept)

    def take(self, key: str, now: float) -> float:
        """Take a token.

        :param now: seconds, by any clock that is always the same one.
        :return: 0, or the seconds until there is a token; then none was taken.
        """
        with self._lock:
            tokens = self._tokens(key, now)
            allowed = tokens >= 1.0
            self._keep(key, tokens - 1.0 if allowed else tokens, now)
        return 0.0 if allowed else (1.0 - tokens) / self._rate

    def charge(self, key: str, now: float) -> None:
        """Take a token that need not be there: later requests wait for it."""
        with self._lock:
            self._keep(key, self._tokens(key, now) - 1.0, now)

    def _tokens(self, key: str, now: float) -> float:
        tokens, then = self._kept.get(key, (self._burst, now))
        return min(self._burst, tokens + max(now - then, 0.0) * self._rate)

    def _keep(self, key: str, tokens: float, now: float) -> None:
        self._kept[key] = (tokens, now)
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
