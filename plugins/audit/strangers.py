"""Requests of nobody who is known (401), counted by address and told once a minute.

Anybody can make any number of them, so what they leave behind is bounded: a row for each
of so many addresses in a minute, and one for all others together. An IPv6 client has its
network to choose addresses from, so that network is what counts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog

from fyr.core import FyrError, RequestContext, network_of
from fyr.plugins.audit.facts import Facts

log = structlog.get_logger("fyr.audit")

#: Seconds from the first attempt until they are told of.
WINDOW = 60.0
#: Addresses in a minute that have a row of their own.
MOST = 100
#: What stands for the others, and for who has no address.
OTHERS, NOWHERE = "others", "unknown"


class Strangers:
    """Counts attempts, and has them kept by a thread of its own; a kill loses a minute."""

    def __init__(
        self, keep: Callable[[Sequence[Facts]], None], *, seconds: float = WINDOW
    ) -> None:
        """Take who keeps facts; the thread begins with the first attempt."""
        self._keep = keep
        self._seconds = seconds
        self._lock = threading.Lock()
        self._counted: dict[str, Facts] = {}
        self._begun = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, context: RequestContext) -> None:
        """Count an attempt; each passes here, and is to cost next to nothing."""
        address = network_of(context.remote) or NOWHERE
        with self._lock:
            if address not in self._counted and len(self._counted) >= MOST:
                address = OTHERS
            facts = self._counted.get(address)
            if facts is None:
                facts = self._counted[address] = _first(context, address)
            facts["until"] = _text(context.now)
            facts["attempts"] += 1
            facts["tokens"] += context.authorization is not None
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="fyr-audit-strangers", daemon=True
                )
                self._thread.start()
        self._begun.set()

    def close(self) -> None:
        """Have kept what was counted, and end the thread."""
        self._ending.set()
        self._begun.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def flush(self) -> None:
        """Have kept what was counted; what cannot be kept is counted on."""
        with self._lock:
            counted, self._counted = self._counted, {}
        if not counted:
            return
        try:
            self._keep(list(counted.values()))
        except FyrError as error:
            log.error("attempts of strangers cannot be kept yet", problem=str(error))
            with self._lock:
                self._join(counted)

    def _join(self, before: dict[str, Facts]) -> None:
        """Put what was counted before under what has been counted since."""
        since, self._counted = self._counted, before
        for address, facts in since.items():
            known = before.get(address)
            if known is None and len(before) < MOST:
                before[address] = facts
                continue
            if known is None:
                known = before.setdefault(OTHERS, {**facts, **_of_others()})
            known["until"] = facts["until"]
            for number in ("attempts", "tokens"):
                known[number] += facts[number]
        self._begun.set()

    def _run(self) -> None:
        while not self._ending.is_set():
            self._begun.wait()
            self._begun.clear()
            if not self._ending.wait(self._seconds):
                self.flush()


def _first(context: RequestContext, address: str) -> Facts:
    return {
        "at": _text(context.now),
        "until": _text(context.now),
        "service": context.service.name,
        "base": context.base_url or context.service.name,
        "from": address,
        "remote": "" if address in (OTHERS, NOWHERE) else address,
        "trace": "",
        "attempts": 0,
        "tokens": 0,
    }


def _of_others() -> Facts:
    return {"from": OTHERS, "remote": "", "attempts": 0, "tokens": 0}


def _text(moment: datetime | None) -> str:
    # Each request over HTTP has its moment.
    return (moment or datetime.now(UTC)).isoformat(timespec="milliseconds")
