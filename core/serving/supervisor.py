"""The parent process: starts workers, replaces those that die, stops them in order.

It opens no database and serves no request, so nothing is shared over a fork but the
imported code, whose memory the children have in common.
"""

import gc
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

import structlog

from fyr.config.load import ConfigError
from fyr.core.errors import FyrError
from fyr.core.observability.metrics import forget_process

log = structlog.get_logger("fyr.serving")

#: What a child process runs; it calls ``ready`` once it serves, and returns when the
#: stop flag is set.
ChildMain = Callable[["Child"], None]

#: A child that lives shorter than this is started again only after a wait.
_SHORT_LIFE_SECONDS = 2.0
#: What a child may take beyond its draining, on a machine that is busy.
_END_SECONDS = 5.0
_LONGEST_WAIT_SECONDS = 10.0


class Child:
    """A worker process as it sees itself."""

    def __init__(self, name: str, ready_pipe: int) -> None:
        """Keep the pipe on which the parent hears that this child serves."""
        self.name = name
        self._ready_pipe = ready_pipe

    def ready(self) -> None:
        """Tell the parent that this process serves."""
        os.write(self._ready_pipe, b"1")
        os.close(self._ready_pipe)


@dataclass
class _Slot:
    """A place for one child; who fills it changes when children die."""

    name: str
    main: ChildMain
    pid: int = 0
    ready_pipe: int = -1
    ready: bool = False
    started: float = 0.0
    wait: float = 0.0
    start_at: float = 0.0


@dataclass
class Supervisor:
    """Keeps one process running for each ``add``; ``run`` returns after a stop signal.

    :param drain_seconds: how long children may take to finish after a stop signal.
    :param on_ready: called once, when every child has said that it serves.
    """

    drain_seconds: float
    on_ready: Callable[[], None]
    _slots: list[_Slot] = field(default_factory=list)
    _life_line: tuple[int, int] = (-1, -1)
    _stopping: bool = False
    _announced: bool = False

    def add(self, name: str, main: ChildMain) -> None:
        """Have one process more, which runs ``main``."""
        self._slots.append(_Slot(name, main))

    def run(self) -> int:
        """Start all, keep them alive until SIGTERM or SIGINT, stop them.

        :returns: exit status: 0, or 1 when a child could not even start once.
        """
        gc.freeze()
        self._life_line = os.pipe()
        with _signals_in_a_pipe(self._stop) as wakeups:
            failed = self._watch(wakeups)
            self._end_children()
        return 1 if failed else 0

    def _stop(self) -> None:
        self._stopping = True

    def _watch(self, wakeups: int) -> bool:
        while not self._stopping:
            now = time.monotonic()
            for slot in self._slots:
                if not slot.pid and now >= slot.start_at:
                    self._start(slot)
            pipes = [slot.ready_pipe for slot in self._slots if slot.ready_pipe >= 0]
            readable, _, _ = select.select([wakeups, *pipes], [], [], 0.5)
            if wakeups in readable:
                os.read(wakeups, 512)
            self._hear_ready(readable)
            if self._reap() and not self._announced:
                return True
        return False

    def _start(self, slot: _Slot) -> None:
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(read_end)
            _become_child(slot, Child(slot.name, write_end), self._life_line)
        os.close(write_end)
        slot.pid, slot.ready_pipe, slot.ready = pid, read_end, False
        slot.started = time.monotonic()

    def _hear_ready(self, readable: list[int]) -> None:
        for slot in self._slots:
            if slot.ready_pipe in readable:
                slot.ready = os.read(slot.ready_pipe, 1) == b"1" or slot.ready
                os.close(slot.ready_pipe)
                slot.ready_pipe = -1
        if not self._announced and all(slot.ready for slot in self._slots):
            self._announced = True
            self.on_ready()

    def _reap(self) -> bool:
        """Note who has died; tell whether somebody died before it was ready."""
        never_ready = False
        for slot in self._slots:
            if not slot.pid:
                continue
            pid, status = os.waitpid(slot.pid, os.WNOHANG)
            if not pid:
                continue
            lived = time.monotonic() - slot.started
            slot.wait = (
                min(max(slot.wait * 2, 0.5), _LONGEST_WAIT_SECONDS)
                if lived < _SHORT_LIFE_SECONDS
                else 0.0
            )
            slot.start_at = time.monotonic() + slot.wait
            slot.pid = 0
            never_ready = never_ready or not slot.ready
            forget_process(pid)
            code = os.waitstatus_to_exitcode(status)
            log.error("worker died", worker=slot.name, pid=pid, status=code)
        return never_ready

    def _end_children(self) -> None:
        alive = {slot.pid for slot in self._slots if slot.pid}
        for pid in alive:
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + self.drain_seconds + _END_SECONDS
        while alive and time.monotonic() < deadline:
            alive = {pid for pid in alive if os.waitpid(pid, os.WNOHANG) == (0, 0)}
            time.sleep(0.02)
        for pid in alive:
            log.error("worker did not stop in time", pid=pid)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def run_once(name: str, main: Callable[[], None]) -> int:
    """Run ``main`` in a process of its own and wait for it.

    What it imports and opens is gone with it: the parent stays fit for forking.

    :returns: its exit status.
    """
    pid = os.fork()
    if pid == 0:
        _exit_with(name, main)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _become_child(slot: _Slot, child: Child, life_line: tuple[int, int]) -> None:
    """Run the child's main in the forked process; never returns."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _end_with_parent(life_line)
    _exit_with(slot.name, lambda: slot.main(child))


def _end_with_parent(life_line: tuple[int, int]) -> None:
    """Stop this process when the parent is gone, however it went."""
    read_end, write_end = life_line
    os.close(write_end)

    def wait() -> None:
        os.read(read_end, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="life-line", daemon=True).start()


def _exit_with(name: str, main: Callable[[], None]) -> NoReturn:
    """Run ``main`` and end this forked process without the parent's clean-up."""
    status = 1
    try:
        main()
        status = 0
    except (FyrError, ConfigError) as error:
        log.error("cannot run", worker=name, problem=str(error))
    except Exception:
        log.exception("worker failed", worker=name)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


@contextmanager
def _signals_in_a_pipe(stop: Callable[[], None]) -> Iterator[int]:
    """Make SIGTERM, SIGINT and SIGCHLD readable, so that one ``select`` waits for all."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    before = {
        number: signal.signal(number, lambda *_: stop())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(write_end)
    try:
        yield read_end
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(read_end)
        os.close(write_end)
