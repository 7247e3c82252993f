"""A turn: one worker sends to one destination what waits there, under a lease."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Event

import structlog

from fyr.config.outgoing import OutgoingSettings
from fyr.core.backoff import Backoff
from fyr.core.clock import Clock, to_millis
from fyr.core.one_line import one_line
from fyr.core.outgoing.leases import Lease, Leases
from fyr.core.outgoing.message import (
    DEAD,
    DROPPED,
    WAITING,
    Away,
    Dropped,
    Outgoing,
    Sender,
    SendFailed,
    Undeliverable,
)
from fyr.core.outgoing.queue import COLUMNS
from fyr.core.store.port import Database, Session

log = structlog.get_logger("fyr.outgoing")

#: A destination that has ever more to be sent lets others come after this time.
TURN_SECONDS = 2.0
#: So many refused messages in a row are their own fault; more are their destination's,
#: which rests then.
REFUSALS = 3
#: Longest wait, in milliseconds, for what is the deployment's own.
_AWAY_MILLIS = 60_000
_ERROR_CHARACTERS = 500

_NEXT = f"""
    SELECT {COLUMNS} FROM outgoing
    WHERE sender = ? AND destination = ? AND state = 'waiting' ORDER BY id LIMIT ?
"""
_REMOVE = "DELETE FROM outgoing WHERE id = ?"
_SENT = """
    UPDATE outgoing_destination
    SET failures = 0, away = 0, error = '', sent = sent + ?, due = ?, took = ?
    WHERE sender = ? AND destination = ? AND owner = ?
"""
_FAILED = """
    UPDATE outgoing SET state = ?, attempts = ?, changed = ?, error = ? WHERE id = ?
"""
_FAILING = """
    UPDATE outgoing_destination
    SET failures = ?, away = ?, error = ?, due = ?, took = ?
    WHERE sender = ? AND destination = ? AND owner = ?
"""


@dataclass(frozen=True, slots=True)
class Tools:
    """What every turn works with."""

    database: Database
    leases: Leases
    settings: OutgoingSettings
    backoff: Backoff
    clock: Clock

    def now(self) -> int:
        """Tell the time in milliseconds since 1970, UTC."""
        return to_millis(self.clock())


class Turn:
    """One turn at one destination; ``done`` counts what was sent or given up."""

    def __init__(self, tools: Tools, sender: Sender, lease: Lease, stop: Event) -> None:
        """Take the destination under its lease; the turn ends early on ``stop``."""
        self.done = 0
        self._tools = tools
        self._sender = sender
        self._lease = lease
        self._stop = stop
        self._at_once = sender.at_once
        self._rests = False
        self._begun = 0

    def run(self) -> int:
        """Send until nothing waits, something fails, or others shall have their turn.

        :raises LeaseLost: another worker goes on.
        """
        until = time.monotonic() + TURN_SECONDS
        while not (self._rests or self._stop.is_set() or self._lease.lost.is_set()):
            messages = self._next()
            if messages:
                self._send(messages)
            elif self._tools.leases.rest(self._lease):
                return self.done
            if time.monotonic() > until:
                break
        self._tools.leases.leave(self._lease)
        return self.done

    def _next(self) -> list[Outgoing]:
        where = (self._lease.sender, self._lease.destination, self._at_once)
        return [Outgoing(*row) for row in self._tools.database.rows(_NEXT, where)]

    def _send(self, messages: Sequence[Outgoing]) -> None:
        names = {"sender": self._lease.sender, "destination": self._lease.destination}
        with structlog.contextvars.bound_contextvars(**names):
            self._begun = self._tools.now()
            try:
                count = self._sender.send(messages)
            except Dropped as failed:
                wait = int(failed.wait_seconds * 1000)
                self._note_failed(messages[:1], str(failed), wait, dropped=True)
            except Away as away:
                self._note_away(messages, str(away))
            except Undeliverable as refused:
                if len(messages) > 1:
                    # Which of them it is: each is sent alone for the rest of the turn.
                    self._at_once = 1
                else:
                    self._note_failed(messages, str(refused), 0, given_up=True)
            except SendFailed as failed:
                wait = int(failed.wait_seconds * 1000)
                self._note_failed(messages, str(failed), wait)
            except Exception as error:
                log.exception("sender failed")
                self._note_failed(messages, type(error).__name__, 0)
            else:
                took = max(0, self._tools.now() - self._begun)
                taken = messages if count is None else messages[:count]
                self._note_sent(taken, took)

    def _note_sent(self, messages: Sequence[Outgoing], took: int) -> None:
        tools, lease = self._tools, self._lease

        def work(session: Session) -> None:
            tools.leases.require(session, lease)
            session.run_many(_REMOVE, [(one.id,) for one in messages])
            session.run(_SENT, (len(messages), tools.now(), took, *lease.key))
            self._sender.sent(session, messages)

        tools.database.write(work)
        lease.failures, lease.took = 0, took
        lease.sent += len(messages)
        self.done += len(messages)

    def _note_failed(
        self,
        messages: Sequence[Outgoing],
        reason: str,
        wait: int,
        *,
        given_up: bool = False,
        dropped: bool = False,
    ) -> None:
        tools, lease = self._tools, self._lease
        failures, reason = lease.failures + 1, one_line(reason, _ERROR_CHARACTERS)
        most = self._sender.attempts or tools.settings.attempts
        now = tools.now()
        took = max(0, now - self._begun)
        kept = [_failed(one, reason, most, now, given_up) for one in messages]
        if dropped:
            kept = [replace(one, state=DROPPED) for one in kept]
        rests = not given_up or failures >= REFUSALS
        longest = tools.backoff.longest
        rest = max(tools.backoff.after(failures), min(wait, longest)) if rests else 0

        def work(session: Session) -> None:
            tools.leases.require(session, lease)
            rows = [(one.state, one.attempts, now, reason, one.id) for one in kept]
            if dropped:
                session.run_many(_REMOVE, [(one.id,) for one in kept])
            else:
                session.run_many(_FAILED, rows)
            told = (failures, 0, reason, now + rest, took)
            session.run(_FAILING, (*told, *lease.key))
            self._sender.failed(session, kept, failures)

        tools.database.write(work)
        dead = sum(one.state == DEAD for one in kept)
        log.warning("not sent", problem=reason, failures=failures, given_up=dead)
        lease.failures, lease.took = failures, took
        self.done += dead
        self._rests = rests

    def _note_away(self, messages: Sequence[Outgoing], reason: str) -> None:
        """Have all wait, as it is nobody's fault that they were not taken."""
        tools, lease = self._tools, self._lease
        failures, reason = lease.failures + 1, one_line(reason, _ERROR_CHARACTERS)
        now = tools.now()
        took = max(0, now - self._begun)
        kept = [replace(one, changed=now, error=reason) for one in messages]
        rest = min(tools.backoff.after(failures), _AWAY_MILLIS)

        def work(session: Session) -> None:
            tools.leases.require(session, lease)
            rows = [(one.state, one.attempts, now, reason, one.id) for one in kept]
            session.run_many(_FAILED, rows)
            session.run(_FAILING, (failures, 1, reason, now + rest, took, *lease.key))
            self._sender.held_up(session, kept)

        tools.database.write(work)
        log.warning("what it takes is away", problem=reason, tries=failures)
        lease.failures, lease.took = failures, took
        self._rests = True


def _failed(
    message: Outgoing, reason: str, most: int, now: int, given_up: bool
) -> Outgoing:
    attempts = message.attempts + 1
    dead = given_up or attempts >= most
    return replace(
        message,
        state=DEAD if dead else WAITING,
        attempts=attempts,
        changed=now,
        error=reason,
    )
