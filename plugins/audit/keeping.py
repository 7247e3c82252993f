"""How facts get into the outbox: with the write, before the answer, or soon after it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import structlog

from fyr.core import FyrError, Session, Unavailable
from fyr.core.events import Outbox
from fyr.plugins.audit.facts import TOPIC, Facts

log = structlog.get_logger("fyr.audit")

#: Wait before rows are tried again that could not be written.
_RETRY_SECONDS = 1.0


class Keeping:
    """Writes facts as rows of the outbox."""

    def __init__(self, outbox: Outbox) -> None:
        """Take the outbox."""
        self._outbox = outbox

    def within(self, session: Session, facts: Facts) -> None:
        """Keep facts in a transaction that somebody else commits."""
        self._outbox.emit(session, TOPIC, facts, trace_id=facts["trace"])

    def all(self, rows: Sequence[Facts]) -> None:
        """Keep facts, all or none, before this returns.

        :raises FyrError: they cannot be kept.
        """

        def work(session: Session) -> None:
            for facts in rows:
                self.within(session, facts)

        self._outbox.database.write(work)


class Buffer:
    """Keeps facts a moment later, in a thread of its own; what waits dies with a kill."""

    def __init__(
        self,
        keep: Callable[[Sequence[Facts]], None],
        *,
        size: int,
        seconds: float,
    ) -> None:
        """Take who keeps them; the thread begins with the first of them."""
        self._keep = keep
        self._size = size
        self._seconds = seconds
        self._rows: list[Facts] = []
        self._lock = threading.Lock()
        self._filled = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        """Tell how many wait."""
        return len(self._rows)

    def add(self, rows: Sequence[Facts]) -> None:
        """Have facts kept soon, all or none.

        :raises Unavailable: too many wait already.
        """
        with self._lock:
            if len(self._rows) + len(rows) > self._size:
                raise Unavailable("the audit log cannot keep up; try again in a moment")
            self._rows += rows
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="fyr-audit")
                self._thread.start()
        self._filled.set()

    def close(self) -> None:
        """Keep what waits, and end the thread."""
        self._ending.set()
        self._filled.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._ending.is_set():
            self._filled.wait()
            self._filled.clear()
            self._ending.wait(self._seconds)
            while self._rows and not self._flush():
                if self._ending.wait(_RETRY_SECONDS):
                    break
        if self._rows and not self._flush():
            log.error("entries of the audit log are lost", entries=len(self._rows))

    def _flush(self) -> bool:
        """Write what waits; leave it waiting when that fails."""
        rows = self._rows[:]
        try:
            self._keep(rows)
        except FyrError as error:
            log.error("the audit log cannot be written", problem=str(error))
            return False
        with self._lock:
            del self._rows[: len(rows)]
        return True
