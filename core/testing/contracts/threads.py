"""Threads that do something at the same time, what came of it, and who is left."""

from collections.abc import Callable, Iterable, Set
from threading import Barrier, Thread
from threading import enumerate as running
from typing import TypeVar

T = TypeVar("T")
A = TypeVar("A")


def at_once(call: Callable[[A], T], arguments: Iterable[A]) -> list[T | Exception]:
    """Call with each argument in a thread of its own, begun together.

    :return: results, or what was raised, in the order of the arguments.
    """
    given = list(arguments)
    outcomes: list[T | Exception] = [TimeoutError()] * len(given)
    ready = Barrier(len(given))

    def run(place: int, argument: A) -> None:
        ready.wait(180)
        try:
            outcomes[place] = call(argument)
        except Exception as error:
            outcomes[place] = error

    threads = [Thread(target=run, args=one) for one in enumerate(given)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    return outcomes


def left_since(before: Set[Thread]) -> set[Thread]:
    """Tell which threads have begun since and do not end.

    :param before: those that there were; what becomes of them is not looked at, as they
        may be another test's.
    """
    began = set(running()) - before
    for thread in began:
        # Who was told to end may still be on its way.
        thread.join(60)
    return {thread for thread in began if thread.is_alive()}
