"""Hooks asked at the least cost, as each request passes many.

All plugins in turn where their answers do not count, or the one there is.

Looked at by the clock are the first calls, and then one of many: on some machines a look
costs more than all else here. While a plugin fails, each call is looked at and each goes
by the rules of :mod:`fyr.core.hooks.isolation`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import length_hint
from types import FrameType
from typing import Any

from fyr.core.hooks import isolation
from fyr.core.hooks.isolation import Implementation, by_position
from fyr.core.hooks.markers import Answer, Policy

#: So many calls are timed at first, and then one of as many.
TIMED = 128


class InTurn:
    """Asks the implementations of a hook whose answers do not count."""

    __slots__ = ("_rows", "_told", "_troubled", "row", "untimed")

    def __init__(self, row: Sequence[Implementation]) -> None:
        """Take them in the order in which they are asked."""
        self.row = row
        self._rows = tuple(by_position(one.function, one.arguments) for one in row)
        self._told = 0
        self._troubled = False
        #: by place in the row, how many calls were not timed
        self.untimed = [0] * (len(row) + 1)
        for place, one in enumerate(row):
            one.timing.elsewhere = self._counter(place)

    def __call__(self, arguments: Mapping[str, Any]) -> None:
        """Ask all, unless one of them ends it."""
        # Two threads may take one number: then one call more or less is timed.
        self._told = told = self._told + 1
        if self._troubled or told <= TIMED or not told % TIMED:
            self._carefully(arguments)
            return
        rest = iter(self._rows)
        while True:
            try:
                for function in rest:
                    function(arguments)
            except (Exception, SystemExit) as error:
                self._fail(self.place(rest), error)
            else:
                self.untimed[-1] += 1
                return

    def place(self, rest: Iterator[object]) -> int:
        """Tell the place of whose turn it is, by what is left of the row."""
        return len(self.row) - length_hint(rest) - 1

    def _carefully(self, arguments: Mapping[str, Any]) -> None:
        try:
            for one in self.row:
                one.ask(arguments)
        finally:
            self._troubled = any(one.quarantine.doubted for one in self.row)

    def _fail(self, place: int, error: Exception | SystemExit) -> None:
        """Count a failure, and raise it or go on, by the hook's policy."""
        one = self.row[place]
        going_out = one.told(error)
        if going_out is not error:
            going_out.__cause__ = error
        try:
            one.keep(going_out)
        except BaseException:
            # The others after it are not asked.
            for each in range(place + 1):
                self.untimed[each] += 1
            raise
        finally:
            self._troubled = self._troubled or one.quarantine.doubted

    def _counter(self, place: int) -> Callable[[], int]:
        return lambda: self.untimed[place] + self.untimed[-1]


class Alone:
    """Asks the one implementation of a hook, whose failures go out as they are."""

    __slots__ = ("_asked", "_due", "_function", "_timed", "one")

    def __init__(self, one: Implementation) -> None:
        """Take it; :meth:`fits` has told that it can be."""
        self.one = one
        self._function = by_position(one.function, one.arguments)
        self._asked = self._timed = 0
        #: the number of the call that is timed next
        self._due = 1
        one.timing.elsewhere = lambda: self._asked - self._timed

    @staticmethod
    def fits(one: Implementation) -> bool:
        """Whether nothing is to be done but to call it."""
        rule = one.rule
        answers = rule.answer is Answer.FIRST or rule.answer is Answer.NONE
        return answers and rule.policy is Policy.ABORT and not rule.port

    def __call__(self, arguments: Mapping[str, Any]) -> Any:
        """Ask it."""
        # Two threads may take one number: then one call more or less is counted.
        self._asked = asked = self._asked + 1
        if asked >= self._due:
            self._timed += 1
            self._due = asked + (1 if asked < TIMED else TIMED)
            return self.one.ask(arguments)
        function = self._function
        try:
            return function(arguments)
        except (Exception, SystemExit) as error:
            going_out = self.one.told(error)
            if going_out is error:
                raise
            raise going_out from error


def implementation_of(frame: FrameType) -> Implementation | None:
    """Tell which implementation a frame has called and waits for; mostly ``None``.

    For who looks at threads that run: what is on its way may be told of the one before.
    """
    if frame.f_code is InTurn.__call__.__code__:
        told = frame.f_locals
        if "function" not in told:
            return None
        asking: InTurn = told["self"]
        return asking.row[asking.place(told["rest"])]
    if frame.f_code is Alone.__call__.__code__:
        alone: Alone = frame.f_locals["self"]
        return alone.one if "function" in frame.f_locals else None
    return isolation.implementation_of(frame)
