"""What a worker does with timers whose time has come: takes them, and fires them.

Many in one transaction, as far as they go; what fails among them is fired alone, so that
it holds nobody back.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import attrgetter
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from fyr.core.backoff import Backoff
from fyr.core.clock import to_millis
from fyr.core.errors import FyrError
from fyr.core.one_line import one_line
from fyr.core.workflow.timers import NEVER, Timers, TimerState, is_down, is_final

if TYPE_CHECKING:
    from fyr.config.settings import EventSettings
    from fyr.core.interactions.acting import Acting

log = structlog.get_logger(__name__)
T = TypeVar("T")

#: Timers of one transaction at most, and how long it goes on taking more: meanwhile
#: nobody else writes to an embedded store.
AT_ONCE = 100
_SECONDS = 0.05
_ERROR_CHARACTERS = 2000

_ANY = "SELECT 1 FROM timer WHERE due <= ? AND name IN ({names}) LIMIT 1"
_DUE = """
    SELECT id, name, subject, scheduled, due, attempts, failed, payload, error
    FROM timer WHERE due <= ? AND name IN ({names}) ORDER BY due, name LIMIT ?
"""
_TAKE = "DELETE FROM timer WHERE id = ?"
_AGAIN = "UPDATE timer SET attempts = ?, due = ?, error = ? WHERE id = ? AND due = ?"
_GIVE_UP = """
    UPDATE timer SET attempts = ?, due = ?, failed = ?, error = ?, key = NULL
    WHERE id = ? AND due = ?
"""
_NOTE = "UPDATE timer SET payload = ? WHERE id = ?"
_STILL = "SELECT 1 FROM timer WHERE id = ? AND due = ?"
_LOCK = " FOR UPDATE SKIP LOCKED"


class Firing:
    """The timers, as one worker sees them."""

    def __init__(
        self,
        timers: Timers,
        act: Callable[[Callable[[Acting], Any]], Any],
        settings: EventSettings,
    ) -> None:
        """Take the timers, and what runs something in a transaction as Fyr itself."""
        self._timers = timers
        self._act = act
        self._backoff = Backoff.of(settings)

    def any_due(self) -> bool:
        """Tell whether the time of one has come; most looks end with this."""
        sql, params = self._sql(_ANY)
        return bool(params) and bool(
            self._timers.database.rows(sql, (self._now(), *params))
        )

    def fire(self, stop: Event) -> int:
        """Fire what is due until nothing is, and tell how many it was."""
        total = 0
        while not stop.is_set() and self.any_due():
            fired = self._fire_some(stop)
            total += fired
            if not fired:
                break
        return total

    def _fire_some(self, stop: Event) -> int:
        """Fire some together, or each alone when that fails."""
        try:
            return int(self._act(self._take_some))
        except Exception as error:
            log.debug("timers are fired one by one", reason=type(error).__name__)
        sql, params = self._sql(_DUE)
        rows = self._timers.database.rows(sql, (self._now(), *params, AT_ONCE))
        done = 0
        for row in rows:
            if not stop.is_set():
                done += self._fire_one(TimerState(*row))
        return done

    def _take_some(self, acting: Acting) -> int:
        """Take timers in this transaction and do what they are for, the first one first.

        After a rest much is due at once, and what one kind does decides what another one
        finds. So each kind is done up to where another one comes, and what has armed
        itself again meanwhile is looked for before that.
        """
        session = acting.session
        lock = _LOCK if session.dialect == "postgresql" else ""
        sql, params = self._sql(_DUE)
        until = time.monotonic() + _SECONDS
        taken = 0
        while not taken or time.monotonic() < until:
            rows = session.rows(sql + lock, (self._now(), *params, AT_ONCE))
            states = [TimerState(*row) for row in rows]
            if not states:
                break
            name, run = next(groupby(states, attrgetter("name")))
            first = list(run)
            taken += self._take(acting, name, first, until)
            if len(first) == len(states):
                break
        return taken

    def _take(
        self, acting: Acting, name: str, states: Sequence[TimerState], until: float
    ) -> int:
        kind = self._timers.kinds[name]
        if kind.fire_many is not None:
            acting.session.run_many(_TAKE, [(one.id,) for one in states])
            kind.fire_many(acting, [one.fired() for one in states])
            return len(states)
        for taken, one in enumerate(states):
            if taken and time.monotonic() >= until:
                return taken
            # Before it fires: it may arm itself anew.
            acting.session.run(_TAKE, (one.id,))
            kind.fire(acting, one.fired())
        return len(states)

    def _fire_one(self, state: TimerState) -> int:
        """Fire one in a transaction of its own; tell whether anything was done."""
        kind = self._timers.kinds[state.name]

        def work(acting: Acting) -> int:
            if not self._holds(acting, state):
                return 0
            acting.session.run(_TAKE, (state.id,))
            kind.fire(acting, state.fired())
            return 1

        try:
            return int(self._act(work))
        except Exception as error:
            self._failed(state, error)
            return 1

    def _holds(self, acting: Acting, state: TimerState) -> bool:
        """Hold the row, if it is still there as it was read and nobody else has it."""
        lock = _LOCK if acting.session.dialect == "postgresql" else ""
        return bool(acting.session.rows(_STILL + lock, (state.id, state.due)))

    def _failed(self, state: TimerState, error: Exception) -> None:
        """Write down that one has failed: it is tried again, or given up."""
        kind = self._timers.kinds[state.name]
        attempts = state.attempts + 1
        text = one_line(_told(error), _ERROR_CHARACTERS)
        bound = {"timer": state.name, "subject": state.subject, "problem": text}
        if is_final(error) or (attempts >= kind.attempts and not is_down(error)):
            log.error("a timer was given up", **bound, exc_info=_bug(error))
            self._give_up(state, attempts, text, error)
            return
        log.warning("a timer is tried again", **bound, exc_info=_bug(error))
        due = self._now() + self._backoff.after(attempts)
        row = (attempts, due, text, state.id, state.due)
        self._timers.database.write(lambda session: session.run(_AGAIN, row))

    def _give_up(
        self, state: TimerState, attempts: int, text: str, error: Exception
    ) -> None:
        refused = self._timers.kinds[state.name].refused

        def mark(acting: Acting) -> bool:
            held = self._holds(acting, state)
            if held:
                row = (attempts, NEVER, self._now(), text, state.id, state.due)
                acting.session.run(_GIVE_UP, row)
            return held

        def work(acting: Acting) -> None:
            if mark(acting) and refused is not None:
                payload = refused(acting, state.fired(), error)
                if payload is not None:
                    acting.session.run(_NOTE, (json.dumps(payload), state.id))

        try:
            self._act(work)
        except Exception:
            log.exception("what is to follow a refused timer failed", timer=state.name)
            self._act(mark)

    def _sql(self, sql: str) -> tuple[str, list[str]]:
        names = sorted(self._timers.kinds)
        return sql.format(names=", ".join("?" * len(names))), names

    def _now(self) -> int:
        return to_millis(self._timers.clock())


def _told(error: Exception) -> str:
    """Tell an error as it is kept: a bug's type, as it may hold what it was given."""
    return (
        str(error)
        if isinstance(error, FyrError)
        else f"{type(error).__name__}: {error}"
    )


def _bug(error: Exception) -> Exception | None:
    return None if isinstance(error, FyrError) else error
