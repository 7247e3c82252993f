"""What a plugin's failure does, and what it does not."""

from datetime import UTC, datetime, timedelta

import pytest

from fyr.core import hookimpl
from fyr.core.errors import Forbidden
from fyr.core.hooks.isolation import Patience
from fyr.core.hooks.pipeline import Hooks


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Fragile:
    """Fails as long as it is told to."""

    def __init__(self) -> None:
        self.error: Exception | None = RuntimeError("broken")
        self.asked = 0

    def _answer(self) -> None:
        self.asked += 1
        if self.error:
            raise self.error

    @hookimpl
    def request_received(self):
        self._answer()

    @hookimpl
    def before_interaction(self):
        self._answer()

    @hookimpl
    def completed(self):
        self._answer()


class Sound:
    def __init__(self) -> None:
        self.asked = 0

    @hookimpl
    def request_received(self):
        self.asked += 1

    @hookimpl
    def before_interaction(self):
        self.asked += 1

    @hookimpl
    def completed(self):
        self.asked += 1


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def fragile() -> Fragile:
    return Fragile()


@pytest.fixture
def sound() -> Sound:
    return Sound()


@pytest.fixture
def hooks(fragile, sound, time) -> Hooks:
    plugins = {"fragile": fragile, "sound": sound}
    return Hooks(plugins, patience=Patience(3, 60), clock=time)


def test_abort_lets_the_failure_out_and_asks_nobody_else(hooks, sound, context) -> None:
    with pytest.raises(RuntimeError, match="broken"):
        hooks.before_interaction(context=context)

    assert sound.asked == 0


def test_abort_counts_the_failure_too(hooks, context) -> None:
    with pytest.raises(RuntimeError):
        hooks.before_interaction(context=context)

    timing = hooks.before_interaction[0].timing
    assert (timing.failures, timing.last_error) == (1, "RuntimeError: broken")


def test_abort_never_brings_quarantine(hooks, fragile, context) -> None:
    for _ in range(5):
        with pytest.raises(RuntimeError):
            hooks.before_interaction(context=context)

    assert fragile.asked == 5


def test_isolate_goes_on_with_the_other_plugins(hooks, sound, context) -> None:
    hooks.request_received(context=context)

    assert sound.asked == 1


def test_isolate_lets_a_refusal_out(hooks, fragile, sound, context) -> None:
    fragile.error = Forbidden("not you")

    with pytest.raises(Forbidden):
        hooks.request_received(context=context)
    assert sound.asked == 0


def test_swallow_keeps_even_a_refusal(hooks, fragile, sound, context) -> None:
    fragile.error = Forbidden("too late")
    hooks.completed(context=context, status=200, seconds=0.1)

    assert sound.asked == 1


def test_failures_in_a_row_bring_quarantine_for_that_plugin_only(
    hooks, fragile, sound, context
) -> None:
    for _ in range(5):
        hooks.request_received(context=context)

    assert (fragile.asked, sound.asked) == (3, 5)


def test_a_hook_in_quarantine_leaves_the_plugins_other_hooks_alone(
    hooks, fragile, context
) -> None:
    for _ in range(4):
        hooks.request_received(context=context)
    fragile.error = None
    hooks.completed(context=context, status=200, seconds=0.1)

    assert fragile.asked == 4


def test_quarantine_ends_after_its_time(hooks, fragile, time, context) -> None:
    for _ in range(3):
        hooks.request_received(context=context)
    fragile.error = None
    time.now += timedelta(seconds=60)
    hooks.request_received(context=context)
    hooks.request_received(context=context)

    assert fragile.asked == 5
    assert hooks.request_received[0].quarantine.until is None


def test_one_failure_after_quarantine_renews_it(hooks, fragile, time, context) -> None:
    for _ in range(3):
        hooks.request_received(context=context)
    time.now += timedelta(seconds=60)
    hooks.request_received(context=context)
    hooks.request_received(context=context)

    assert fragile.asked == 4
    assert hooks.request_received[0].quarantine.until == time.now + timedelta(
        seconds=60
    )


def test_a_good_call_forgets_the_failures_before_it(hooks, fragile, context) -> None:
    for error in (RuntimeError(), RuntimeError(), None, RuntimeError(), RuntimeError()):
        fragile.error = error
        hooks.request_received(context=context)

    assert hooks.request_received[0].quarantine.until is None


def test_a_refusal_counts_as_a_good_call(hooks, fragile, context) -> None:
    for error in (RuntimeError(), RuntimeError(), Forbidden("no"), RuntimeError()):
        fragile.error = error
        try:
            hooks.request_received(context=context)
        except Forbidden:
            continue

    assert hooks.request_received[0].quarantine.until is None


def test_calls_and_time_are_counted_for_each_plugin(hooks, fragile, context) -> None:
    fragile.error = None
    for _ in range(3):
        hooks.request_received(context=context)

    timings = [one.timing for one in hooks.request_received]
    assert [timing.calls for timing in timings] == [3, 3]
    assert all(0 < timing.mean_seconds < timing.total_ns / 1e9 for timing in timings)


def test_a_refused_event_is_a_failure_since_nobody_is_there_to_be_answered() -> None:
    class Late:
        @hookimpl
        def deliver(self):
            raise Forbidden("not mine")

    hooks = Hooks({"late": Late()})
    with pytest.raises(Forbidden):
        hooks.deliveries()["late"](None)

    assert hooks.deliver[0].timing.failures == 1


def test_each_failure_is_told_and_a_refusal_is_none(context) -> None:
    fragile, told = Fragile(), []
    hooks = Hooks({"fragile": fragile})
    hooks.on_failure(lambda plugin, hook: told.append((plugin, hook)))

    hooks.request_received(context=context)
    fragile.error = Forbidden("no")
    with pytest.raises(Forbidden):
        hooks.request_received(context=context)

    assert told == [("fragile", "request_received")]
