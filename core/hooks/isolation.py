"""One plugin's implementation of one hook, asked so that its faults stay its own."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from pkgutil import resolve_name
from time import perf_counter_ns
from types import CodeType, FrameType
from typing import Any

import structlog

from fyr.core.clock import Clock, utc_now
from fyr.core.errors import FyrError
from fyr.core.errors.plugins import PluginError
from fyr.core.hooks.markers import Answer, Moment, Policy, Rule, is_quick
from fyr.core.hooks.timing import Timing

log = structlog.get_logger(__name__)

#: Takes all arguments of a hook, by name.
Asking = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failures in a row bring quarantine, and for how many seconds."""

    failures: int = 20
    seconds: float = 60.0


#: For those who set none.
PATIENCE = Patience()
#: the code of all attempts, which is one
_ATTEMPTS: set[CodeType] = set()


class Quarantine:
    """A rest for what fails again and again; one more failure after it renews it."""

    __slots__ = ("_clock", "_in_a_row", "_lock", "_patience", "_until")

    def __init__(self, patience: Patience, clock: Clock) -> None:
        """Begin trusting."""
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._until: datetime | None = None

    @property
    def until(self) -> datetime | None:
        """When the rest ends; ``None`` when there is none."""
        until = self._until
        return until if until is not None and self._clock() < until else None

    @property
    def doubted(self) -> bool:
        """Whether it failed when it was asked last."""
        return self._in_a_row > 0

    def succeed(self) -> None:
        """Forget the failures; cheap, as it follows each good call."""
        if self._in_a_row:
            with self._lock:
                self._in_a_row = 0
                self._until = None

    def fail(self) -> bool:
        """Count a failure, and tell whether it brings a rest."""
        with self._lock:
            self._in_a_row += 1
            if self._in_a_row < self._patience.failures:
                return False
            self._until = self._clock() + timedelta(seconds=self._patience.seconds)
            return True


class Implementation:
    """A plugin's answer to a hook, timed and counted."""

    __slots__ = (
        "_clock",
        "arguments",
        "ask",
        "attempt",
        "function",
        "hook",
        "on_failure",
        "plugin",
        "quarantine",
        "quick",
        "rule",
        "timing",
    )

    def __init__(
        self,
        plugin: str,
        hook: str,
        rule: Rule,
        function: Callable[..., Any],
        arguments: Sequence[str],
        *,
        patience: Patience = PATIENCE,
        clock: Clock = utc_now,
    ) -> None:
        """Take the function and the names of the arguments that it asks for."""
        self.plugin = plugin
        self.hook = hook
        self.rule = rule
        self.function = function
        self.arguments = tuple(arguments)
        self.timing = Timing()
        self.quarantine = Quarantine(patience, clock)
        #: told the plugin and the hook of each failure
        self.on_failure: Callable[[str, str], None] | None = None
        #: whether it waits for nobody
        self.quick = is_quick(function)
        self._clock = clock
        invoke = by_position(function, arguments)
        if rule.answer is Answer.COLLECT:
            invoke = _listed(invoke, rule.items)
        if rule.port:
            invoke = _fitting(invoke, rule.port)
        #: Asks, times and counts; every exception goes out, whatever the policy, and
        #: that of the start of the server as a :class:`PluginError`.
        self.attempt: Asking = _timed(invoke, self)
        #: Asks under the hook's policy; ``None`` is no answer.
        self.ask: Asking = (
            self.attempt if rule.policy is Policy.ABORT else self._ask_apart
        )

    def told(self, error: Exception | SystemExit) -> Exception:
        """Count a failure, and give what goes out for it."""
        if isinstance(error, SystemExit):
            # Code of a command line, called by a plugin, ends no server: it has failed.
            error = RuntimeError(f"it called exit({error.code!r})")
        if not self._is_answer(error):
            self.timing.fail(error, self._clock())
            if self.on_failure is not None:
                self.on_failure(self.plugin, self.hook)
        if self.rule.moment is Moment.START and not isinstance(error, PluginError):
            sentence = f"{self.hook}: {type(error).__name__}: {error}"
            return PluginError([f"plugin {self.plugin}: {sentence}"])
        return error

    def _ask_apart(self, arguments: Mapping[str, Any]) -> Any:
        """Ask, and keep failures and, under *swallow*, refusals in here."""
        if self.quarantine.until is not None:
            return None
        try:
            answer = self.attempt(arguments)
        except Exception as error:
            self.keep(error)
            return None
        self.quarantine.succeed()
        return answer

    def keep(self, error: Exception) -> None:
        """Keep a failure in here, where the policy says so, or raise it."""
        if self.rule.policy is Policy.ABORT:
            raise error
        if isinstance(error, FyrError):
            self.quarantine.succeed()
            if self.rule.policy is Policy.ISOLATE:
                raise error
        else:
            self._isolate(error)

    def _is_answer(self, error: Exception) -> bool:
        """Whether it is a refusal; an event has nobody who could be refused."""
        return isinstance(error, FyrError) and self.rule.moment is not Moment.EVENT

    def _isolate(self, error: Exception) -> None:
        rests = self.quarantine.fail()
        log.error(
            "plugin failed",
            plugin=self.plugin,
            hook=self.hook,
            quarantined=rests,
            exc_info=error,
        )


def by_position(function: Callable[..., Any], names: Sequence[str]) -> Asking:
    """Give what calls a function with those arguments that it asks for.

    Each is named in the call, as far as hooks have so many: to choose them all and then
    to call with what was chosen takes twice as long, and each read passes some hooks.
    """
    match list(names):
        case []:
            return lambda _given: function()
        case [a]:
            return lambda given: function(given[a])
        case [a, b]:
            return lambda given: function(given[a], given[b])
        case [a, b, c]:
            return lambda given: function(given[a], given[b], given[c])
        case [a, b, c, d]:
            return lambda given: function(given[a], given[b], given[c], given[d])
    chosen = itemgetter(*names)
    return lambda given: function(*chosen(given))


def _listed(invoke: Asking, items: str) -> Asking:
    """Have an iterable answer read at once: a generator fails while it is read.

    What is none of the items fails here, too, while it is known whose it is.
    """

    def called(arguments: Mapping[str, Any]) -> Any:
        answer = invoke(arguments)
        if answer is None:
            return None
        given = list(answer)
        for one in given:
            if items and items not in {kind.__name__ for kind in type(one).__mro__}:
                raise TypeError(f"it gives a {type(one).__name__}, not a {items}")
        return given

    return called


def _fitting(invoke: Asking, port: str) -> Asking:
    """Have an answer held against the port that it is to be, by the names it must have.

    What the methods do can only be seen in use; the suites of ``fyr.core.testing`` tell.
    """

    def called(arguments: Mapping[str, Any]) -> Any:
        answer = invoke(arguments)
        if answer is None:
            return None
        protocol = resolve_name(port)
        lacks = [
            name
            for name in vars(protocol)
            if name[0] != "_" and not hasattr(answer, name)
        ]
        if lacks:
            kind = type(answer).__name__
            raise TypeError(
                f"it gives a {kind}, not a {protocol.__name__}: no {', '.join(lacks)}"
            )
        return answer

    return called


def _timed(invoke: Asking, implementation: Implementation) -> Asking:
    """Have calls timed and counted, and failures told.

    A closure, as each read passes some: an attribute looked up, or a method called, is a
    part of what a hook costs.
    """
    timing, told = implementation.timing, implementation.told
    lock = timing.lock

    def attempt(arguments: Mapping[str, Any]) -> Any:
        started = perf_counter_ns()
        try:
            return invoke(arguments)
        except (Exception, SystemExit) as error:
            going_out = told(error)
            if going_out is error:
                raise
            raise going_out from error
        finally:
            passed = perf_counter_ns() - started
            with lock:
                timing.timed += 1
                timing.total_ns += passed

    _ATTEMPTS.add(attempt.__code__)
    return attempt


def implementation_of(frame: FrameType) -> Implementation | None:
    """Tell whose attempt a frame is, for who looks at threads that run."""
    if frame.f_code not in _ATTEMPTS:
        return None
    implementation: Implementation = frame.f_locals["told"].__self__
    return implementation
