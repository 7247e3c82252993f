"""Group commit: threads hand in work, one of them carries out all that waits.

For a database with one writer at a time. Whoever finds nobody at work leads: it takes
what has come in, its own work included, has it carried out together and tells
everybody the outcome. What came in meanwhile waits for one cost of a commit, not for
one each, and a thread that is alone never waits for another one to wake up.
"""

from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from threading import Lock, get_ident
from typing import Any, Generic, TypeVar, cast

from fyr.core.errors import Unavailable
from fyr.core.store.port import Session

T = TypeVar("T")

#: Most works of one commit, so that the first does not wait long for its answer.
AT_ONCE = 128


class Task(Generic[T]):
    """Work that somebody waits for."""

    __slots__ = ("_context", "_wake", "_work", "done", "error", "result")

    def __init__(self, work: Callable[[Session], T]) -> None:
        """Take the work."""
        self._work = work
        # Log lines of the work carry what its own thread had bound.
        self._context: Context = copy_context()
        self._wake = Lock()
        self._wake.acquire()
        self.result: T | None = None
        self.error: BaseException | None = None
        self.done = False

    def carry_out(self, session: Session) -> None:
        """Do the work, as if its own thread did."""
        self.result = self._context.run(self._work, session)

    def wait(self) -> None:
        """Wait until somebody calls ``wake``."""
        self._wake.acquire()

    def wake(self) -> None:
        """Let the one who waits go on: it is done, or it is its turn to lead."""
        self._wake.release()


class GroupCommit:
    """Where threads hand in work."""

    def __init__(self, carry_out: Callable[[list[Task[Any]]], None]) -> None:
        """Take what does a batch: it sets ``error`` of each that fails, and commits."""
        self._carry_out = carry_out
        self._guard = Lock()
        self._waiting: deque[Task[Any]] = deque()
        #: the task whose thread leads, or has been told to
        self._leading: Task[Any] | None = None
        self._leader = 0

    def submit(self, work: Callable[[Session], T]) -> T:
        """Have work carried out and committed; give its result or raise its error.

        :raises RuntimeError: called from inside such work.
        """
        if self._leader == get_ident():
            raise RuntimeError("write inside write: use the session that is there")
        task = Task(work)
        with self._guard:
            self._waiting.append(task)
            leads = self._leading is None
            if leads:
                self._leading = task
        if not leads:
            self._follow(task)
        if not task.done:
            self._lead()
        if task.error is not None:
            raise task.error
        return cast(T, task.result)

    def _follow(self, task: Task[Any]) -> None:
        """Wait for the outcome, or to be told to lead."""
        try:
            task.wait()
        except BaseException:
            # Interrupted from the keyboard: the others go on without this one.
            with self._guard:
                if task in self._waiting:
                    self._waiting.remove(task)
                if self._leading is task:
                    self._hand_over()
            raise

    def _lead(self) -> None:
        """Carry out one batch, then let the first that came in meanwhile lead."""
        with self._guard:
            count = min(len(self._waiting), AT_ONCE)
            batch = [self._waiting.popleft() for _ in range(count)]
        self._leader = get_ident()
        ended = False
        try:
            self._carry_out(batch)
            ended = True
        finally:
            self._leader = 0
            for task in batch:
                if not ended and task.error is None:
                    task.error = Unavailable("the write was not carried out")
                task.done = True
                task.wake()
            with self._guard:
                self._hand_over()

    def _hand_over(self) -> None:
        self._leading = self._waiting[0] if self._waiting else None
        if self._leading is not None:
            self._leading.wake()
