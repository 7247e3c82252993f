"""Calls of plugins that take long are told of while they do, by plugin and hook."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from fyr.core import hookimpl
from fyr.core.hooks.in_turn import TIMED
from fyr.core.hooks.pipeline import Hooks
from fyr.core.hooks.watch import Watch

PATIENCE = 180


class Sleepy:
    """Sleeps in each hook that it has, until it is woken."""

    def __init__(self) -> None:
        self.asleep = threading.Semaphore(0)
        self.woken = threading.Event()
        self.sleeps = False

    def _sleep(self) -> None:
        woken = self.woken
        if self.sleeps:
            self.asleep.release()
            assert woken.wait(PATIENCE)

    @hookimpl
    def authorize(self):
        self._sleep()

    @hookimpl
    def authenticate(self):
        self._sleep()

    @hookimpl
    def deliver(self):
        self._sleep()


class Awake:
    @hookimpl(before=["sleepy"])
    def authorize(self): ...

    @hookimpl(before=["sleepy"])
    def authenticate(self): ...


class Late:
    @hookimpl(after=["sleepy"])
    def authorize(self): ...


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def sleepy() -> Iterator[Sleepy]:
    made = Sleepy()
    yield made
    made.woken.set()


@pytest.fixture
def hooks(sleepy: Sleepy) -> Hooks:
    return Hooks({"sleepy": sleepy, "awake": Awake(), "late": Late()})


@pytest.fixture
def told() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def watch(told: list[tuple[str, str]]) -> Watch:
    made = Watch(5.0, Clock())
    made.on_slow = lambda plugin, hook: told.append((plugin, hook))
    return made


def pass_by(watch: Watch, seconds: float) -> None:
    clock = watch._clock
    assert isinstance(clock, Clock)
    clock.now += seconds
    watch.look()


@pytest.mark.parametrize("hook", ["authorize", "authenticate", "deliver"])
@pytest.mark.parametrize("before", [0, TIMED])
def test_a_call_that_takes_long_is_told_of_once_while_it_does(
    hooks: Hooks,
    sleepy: Sleepy,
    watch: Watch,
    told: list[tuple[str, str]],
    hook: str,
    before: int,
) -> None:
    chain = getattr(hooks, hook)
    given = dict.fromkeys(chain.arguments)

    def ask() -> None:
        for _ in range(before):
            chain(**given)
        sleepy.sleeps = True
        chain(**given)

    asking = threading.Thread(target=ask)
    asking.start()
    assert sleepy.asleep.acquire(timeout=PATIENCE)
    pass_by(watch, 0.0)
    pass_by(watch, 4.9)
    early = list(told), watch.standing()
    pass_by(watch, 0.2)
    pass_by(watch, 7.0)
    standing = watch.standing()
    sleepy.woken.set()
    asking.join()
    pass_by(watch, 2.5)

    assert early == ([], {})
    assert told == [("sleepy", hook)]
    assert standing == {"sleepy": f"{hook} takes long: 12 s by now"}
    assert watch.standing() == {}
    slow = {one.plugin: one.timing.slow for one in chain}
    assert slow == {name: int(name == "sleepy") for name in slow}


def test_many_short_calls_are_not_one_that_takes_long(
    hooks: Hooks, sleepy: Sleepy, watch: Watch, told: list[tuple[str, str]]
) -> None:
    sleepy.sleeps = True
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            hooks.authorize(context=None)

    asking = threading.Thread(target=ask)
    asking.start()
    for _ in range(20):
        assert sleepy.asleep.acquire(timeout=PATIENCE)
        woken, sleepy.woken = sleepy.woken, threading.Event()
        pass_by(watch, 4.0)
        woken.set()
    over.set()
    sleepy.woken.set()
    asking.join()

    assert told == []


def test_one_thread_looks_however_often_it_is_asked_for() -> None:
    watch = Watch(0.1)

    def looking() -> int:
        return sum(one.name == "fyr-plugin-watch" for one in threading.enumerate())

    before = looking()
    with watch.running(), watch.running():
        during = looking()

    assert during == before + 1
