"""What durable timers promise on every database.

Inherit :class:`TimersContract` and give the fixture ``store_options``: how an empty
database is reached. :class:`KilledTimersContract` takes the same.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fyr.config.settings import Settings
from fyr.core.app import Application
from fyr.core.errors import Refused, Unavailable
from fyr.core.testing.clock import FakeClock
from fyr.core.testing.contracts import bells
from fyr.core.testing.contracts.bells import BELL, CARILLON, TRAP, arm, rung
from fyr.core.workflow import firing
from fyr.core.workflow.timers import Fired, TimerCounts

_PROGRAM = "fyr.core.testing.contracts.bells"
#: How long killed workers are waited for.
_PATIENCE_SECONDS = 180
_KILLS = 4


class _World:
    """Applications of one database."""

    @pytest.fixture
    def settings(self, store_options: dict[str, Any], tmp_path: Path) -> Settings:
        """Give settings that other processes can be given too."""
        common = {
            "data_dir": str(tmp_path),
            "security": {"mode": "open"},
            "plugins": {"enabled": ["search"]},
            "log": {"level": "error"},
        }
        return Settings(**{**common, **store_options})

    @pytest.fixture
    def clock(self) -> FakeClock:
        """Stand still until a test moves on."""
        return FakeClock()

    @pytest.fixture
    def opened(
        self, settings: Settings, clock: FakeClock
    ) -> Iterator[Callable[..., Application]]:
        """Open applications of the database, and close them at the end."""
        built: list[Application] = []

        def one(meets: Callable[[Fired], None] = bells.silent) -> Application:
            built.append(bells.opened(settings, meets, clock))
            return built[-1]

        yield one
        for app in built:
            app.close()


class TimersContract(_World):
    """Tests to inherit."""

    @pytest.fixture
    def app(self, opened: Callable[..., Application]) -> Application:
        """Give an application with bells."""
        return opened()

    def test_a_timer_fires_once_at_its_time_and_not_before(
        self, app: Application, clock: FakeClock
    ) -> None:
        arm(app, clock.now + timedelta(hours=1), "Device/1")
        clock.advance(minutes=59)
        app.worker().drain()
        assert rung(app) == []
        clock.advance(minutes=1)
        for _ in range(2):
            app.worker().drain()

        assert rung(app) == ["Device/1"]
        assert app.timers.of("Device/1") == []

    def test_a_timer_that_was_due_while_nothing_ran_fires_after_it(
        self,
        app: Application,
        opened: Callable[..., Application],
        clock: FakeClock,
    ) -> None:
        told: list[Fired] = []
        arm(app, clock.now + timedelta(hours=1), "Device/1")
        clock.advance(days=3)
        restarted = opened(told.append)
        restarted.worker().drain()

        assert rung(restarted) == ["Device/1"]
        assert told[0].at == clock.now - timedelta(days=3, hours=-1)

    def test_one_that_is_armed_again_is_moved_and_one_that_is_disarmed_is_silent(
        self, app: Application, clock: FakeClock
    ) -> None:
        soon, later = (clock.now + timedelta(hours=hours) for hours in (1, 2))
        arm(app, soon, "Device/1", "Device/2", "Device/3")
        arm(app, later, "Device/1")
        app.database.write(lambda s: app.timers.disarm(s, BELL, "Device/2"))
        clock.advance(hours=1)
        app.worker().drain()
        assert rung(app) == ["Device/3"]
        clock.advance(hours=1)
        app.worker().drain()

        assert rung(app) == ["Device/3", "Device/1"]

    def test_what_is_armed_in_a_transaction_that_is_rolled_back_never_fires(
        self, app: Application, clock: FakeClock
    ) -> None:
        def work(session: Any) -> None:
            app.timers.arm(session, BELL, "Device/1", clock.now)
            raise Refused("no")

        with pytest.raises(Refused):
            app.database.write(work)
        app.worker().drain()

        assert rung(app) == []

    def test_many_fire_together_each_once(
        self, app: Application, clock: FakeClock
    ) -> None:
        names = [f"Device/{number}" for number in range(250)]
        arm(app, clock.now, *names)
        arm(app, clock.now, *names, name=CARILLON)
        app.worker().drain()

        assert Counter(rung(app)) == dict.fromkeys(names, 2)

    def test_what_is_late_fires_in_its_order_whatever_kind_it_is(
        self, app: Application, clock: FakeClock
    ) -> None:
        names = [f"Device/{number}" for number in range(6)]
        for number, one in enumerate(names):
            at = clock.now + timedelta(hours=number)
            arm(app, at, one, name=(BELL, CARILLON)[number % 2])
        clock.advance(days=1)
        app.worker().drain()

        assert rung(app) == names

    def test_a_transaction_goes_on_only_for_a_while(
        self, app: Application, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each takes one at least, so that all is done in the end."""
        monkeypatch.setattr(firing, "_SECONDS", 0)
        arm(app, clock.now, *(f"Device/{number}" for number in range(5)))
        app.worker().drain()

        assert len(rung(app)) == 5

    def test_what_a_timer_did_is_undone_when_it_fails_and_it_is_tried_again(
        self, opened: Callable[..., Application], clock: FakeClock
    ) -> None:
        failing = {"Device/2"}

        def meets(fired: Fired) -> None:
            if fired.subject in failing:
                raise KeyError("a bug")

        app = opened(meets)
        arm(app, clock.now, "Device/1", "Device/2", "Device/3")
        app.worker().drain()
        assert rung(app) == ["Device/1", "Device/3"]
        (waiting,) = app.timers.of("Device/2")
        assert (waiting.attempts, waiting.error) == (1, "KeyError: 'a bug'")

        failing.clear()
        clock.advance(hours=1)
        app.worker().drain()
        assert rung(app) == ["Device/1", "Device/3", "Device/2"]

    def test_one_that_goes_on_failing_is_given_up_and_told(
        self, opened: Callable[..., Application], clock: FakeClock
    ) -> None:
        def meets(fired: Fired) -> None:
            if fired.payload is None:
                raise KeyError("a bug")

        app = opened(meets)
        arm(app, clock.now, "Device/1")
        for _ in range(6):
            app.worker().drain()
            clock.advance(hours=1)

        (failed,) = app.timers.given_up()
        assert (failed.subject, failed.attempts) == ("Device/1", 3)
        assert rung(app) == ["no Device/1"]
        assert app.timers.counts()[BELL] == TimerCounts(failed=1)
        app.timers.retry(failed.id)
        app.worker().drain()
        assert rung(app) == ["no Device/1", "Device/1"]
        assert app.timers.given_up() == []

    def test_an_error_whose_text_no_database_takes_holds_up_nobody(
        self, opened: Callable[..., Application], clock: FakeClock
    ) -> None:
        def meets(fired: Fired) -> None:
            if fired.subject == "Device/1":
                raise Refused("a\x00b\nc\x1b[31m \ud800 d")

        app = opened(meets)
        arm(app, clock.now, "Device/1", "Device/2")
        app.worker().drain()

        (failed,) = app.timers.given_up()
        assert failed.error == "a b c [31m ? d"
        assert "Device/2" in rung(app)

    def test_a_refusal_is_final_and_something_that_is_down_is_waited_for(
        self, opened: Callable[..., Application], clock: FakeClock
    ) -> None:
        problems: dict[str, Exception] = {
            "Device/1": Refused("not now"),
            "Device/2": Unavailable("the network is down"),
        }

        def meets(fired: Fired) -> None:
            if fired.subject in problems:
                raise problems[fired.subject]

        app = opened(meets)
        arm(app, clock.now, "Device/1", "Device/2")
        for _ in range(6):
            app.worker().drain()
            clock.advance(hours=1)
        assert [one.error for one in app.timers.given_up()] == ["not now"]
        app.timers.discard(app.timers.given_up()[0].id)
        problems.clear()
        app.worker().drain()

        assert rung(app) == ["no Device/1", "Device/2"]
        assert app.timers.given_up() == []

    def test_how_many_wait_and_how_late_they_are_is_told(
        self, app: Application, clock: FakeClock
    ) -> None:
        arm(app, clock.now + timedelta(hours=1), "Device/1", "Device/2")
        arm(app, clock.now + timedelta(hours=9), "Device/3")
        clock.advance(hours=2)

        counts = app.timers.counts()
        assert counts[BELL] == TimerCounts(pending=3, late=2, late_seconds=3600)
        assert counts[CARILLON] == TimerCounts()
        page = app.metrics.page().decode()
        assert 'fyr_timers_pending{timer="bell"} 3.0' in page
        assert 'fyr_timers_late_seconds{timer="bell"} 3600.0' in page

    def test_two_workers_share_what_is_due(
        self, opened: Callable[..., Application], clock: FakeClock
    ) -> None:
        names = [f"Device/{number}" for number in range(400)]
        apps = [opened(), opened()]
        arm(apps[0], clock.now, *names)
        stop = threading.Event()
        threads = [
            threading.Thread(target=app.worker().run, args=(stop,)) for app in apps
        ]
        for thread in threads:
            thread.start()
        _wait_until(lambda: len(rung(apps[0])) >= len(names))
        stop.set()
        for thread in threads:
            thread.join(60)

        assert sorted(rung(apps[0])) == sorted(names)


class KilledTimersContract(_World):
    """Workers in processes of their own, which are killed in the middle."""

    @pytest.mark.parametrize("name", [BELL, CARILLON])
    def test_each_timer_fires_once_though_workers_are_killed(
        self,
        settings: Settings,
        opened: Callable[..., Application],
        clock: FakeClock,
        tmp_path: Path,
        name: str,
    ) -> None:
        """Each of them dies with its transaction open, when its row has been taken."""
        app = opened()
        names = [f"Device/{number}" for number in range(300)]
        arm(app, clock.now, *names[:150], name=name)
        arm(app, clock.now + timedelta(seconds=1), TRAP, name=name)
        arm(app, clock.now + timedelta(seconds=2), *names[150:], name=name)
        disarmed = tmp_path / "disarmed"
        with _workers(settings, disarmed) as workers:
            for left in reversed(range(_KILLS)):
                trapped = workers.trapped()
                if not left:
                    disarmed.touch()
                workers.kill(trapped)
            _wait_until(lambda: len(rung(app)) >= len(names) + 1)

        assert Counter(rung(app)) == dict.fromkeys([*names, TRAP], 1)
        assert app.timers.counts()[name] == TimerCounts()


class _Workers:
    """Two worker processes, which tell on one pipe when they are in the trap."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._reading, self._writing = os.pipe()
        self._running = [self._started(), self._started()]

    def trapped(self) -> int:
        """Wait until one is in the trap, and tell its process id."""
        ready, _, _ = select.select([self._reading], [], [], _PATIENCE_SECONDS)
        assert ready, "no worker fired the trap"
        line = b""
        while not line.endswith(b"\n"):
            line += os.read(self._reading, 1)
        return int(line)

    def kill(self, pid: int) -> None:
        """Kill one as a power cut would, and start another."""
        (victim,) = [one for one in self._running if one.pid == pid]
        victim.kill()
        victim.communicate()
        self._running.remove(victim)
        self._running.append(self._started())

    def close(self) -> None:
        """End all in order, and kill what does not."""
        for one in self._running:
            try:
                one.communicate(timeout=_PATIENCE_SECONDS)
            finally:
                one.kill()
        os.close(self._reading)
        os.close(self._writing)

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=self._writing
        )


@contextmanager
def _workers(settings: Settings, disarmed: Path) -> Iterator[_Workers]:
    program = [sys.executable, "-m", _PROGRAM]
    workers = _Workers([*program, settings.model_dump_json(), str(disarmed)])
    try:
        yield workers
    finally:
        disarmed.touch()
        workers.close()


def _wait_until(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < until, "it did not happen"
