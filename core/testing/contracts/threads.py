"""Threads that do something at the same time, and what came of it."""

from collections.abc import Callable, Iterable
from threading import Barrier, Thread
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
        ready.wait(60)
        try:
            outcomes[place] = call(argument)
        except Exception as error:
            outcomes[place] = error

    threads = [Thread(target=run, args=one) for one in enumerate(given)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return outcomes
