"""Where the outbox ends, as one look of this process found it: turns wait for more."""

from threading import Condition


class News:
    """The last position that was seen; safe to share between threads."""

    def __init__(self) -> None:
        """Know of nothing yet."""
        self._head = 0
        self._changed = Condition()

    def tell(self, head: int) -> bool:
        """Note where the outbox ends now, and tell whether it has grown."""
        with self._changed:
            if head <= self._head:
                return False
            self._head = head
            self._changed.notify_all()
            return True

    def wait(self, after: int, seconds: float) -> bool:
        """Wait until there is something after a position, and tell whether there is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._head > after, seconds)
