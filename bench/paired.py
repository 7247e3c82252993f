"""What one server costs beside another, told of small batches that take turns.

A machine that others use, too, changes from second to second, and so does what a request
costs on it. Batches of different servers that follow each other meet the same machine, and
only their ratio is kept. What is left, the luck of a process (where its memory lies), is
taken out by starting all servers anew some times. The same server twice tells how far to
trust a figure.
"""

import math
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import processes
from http_client import Connection

Operation = Callable[[Connection, random.Random], str]


def cpu_seconds(pid: int) -> float:
    """Tell what a process and all below it have had of the processors, to nanoseconds.

    https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html; the figures of
    ``/proc`` count hundredths of a second.
    """
    return sum(time.clock_gettime((~one << 3) | 2) for one in processes.tree(pid))


class Clients:
    """Some clients of one server, which do a batch of operations together."""

    def __init__(self, operation: Operation, base: str, pid: int, number: int) -> None:
        """Open a connection for each."""
        self._operation = operation
        self._pid = pid
        self._connections = [Connection(base) for _ in range(number)]
        self._chances = [random.Random(each) for each in range(number)]
        self._pool = ThreadPoolExecutor(number)

    def cost(self, size: int) -> float:
        """Do a batch, and tell the server's CPU milliseconds for one operation."""
        share = size // len(self._connections)
        before = cpu_seconds(self._pid)
        list(self._pool.map(self._some, range(len(self._connections)), [share] * size))
        return (cpu_seconds(self._pid) - before) * 1000 / (share * len(self._chances))

    def close(self) -> None:
        """Give the connections back."""
        self._pool.shutdown()
        for connection in self._connections:
            connection.close()

    def _some(self, client: int, number: int) -> None:
        for _ in range(number):
            self._operation(self._connections[client], self._chances[client])


@contextmanager
def clients(
    operations: Mapping[str, tuple[Operation, str, int]], number: int
) -> Iterator[dict[str, Clients]]:
    """Give so many clients of each server: operation, base URL and pid by its name."""
    made = {name: Clients(*one, number) for name, one in operations.items()}
    try:
        yield made
    finally:
        for one in made.values():
            one.close()


def rounds(
    servers: Mapping[str, Clients], number: int, size: int, chance: random.Random
) -> dict[str, list[float]]:
    """Give the costs of each server's batches; in each round they come by chance."""
    names = list(servers)
    found: dict[str, list[float]] = {name: [] for name in names}
    for each in range(number + 2):
        chance.shuffle(names)
        for name in names:
            cost = servers[name].cost(size)
            if each >= 2:  # the first ones warm up
                found[name].append(cost)
    return found


def ratios(costs: Mapping[str, Sequence[float]], first: str) -> dict[str, float]:
    """Tell what each costs more than the first: the median over the rounds."""
    return {
        name: statistics.median(
            one / other for one, other in zip(values, costs[first], strict=True)
        )
        - 1
        for name, values in costs.items()
        if name != first
    }


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Tell between which of the values the true median lies, in 19 cases of 20 or more.

    By their ranks alone, whatever their distribution; six values are the least.
    https://en.wikipedia.org/wiki/Median#Confidence_intervals
    """
    ordered, count, out, tail = sorted(values), len(values), 0, 0.0
    while True:
        tail += 2 * math.comb(count, out) / 2**count
        if tail > 0.05:
            break
        out += 1
    if not out:
        raise ValueError("too few values")
    return ordered[out - 1], ordered[-out]
