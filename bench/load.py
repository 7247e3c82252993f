"""Load on a server: closed (each client waits for its answer) or by a fixed timetable."""

import math
import multiprocessing
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from http_client import Connection

#: One operation: takes a connection and a random source, returns its name; raises when
#: the answer is not the one that it wants.
Operation = Callable[[Connection, random.Random], str]


class Finished(Exception):
    """An operation has nothing more to do: its client ends."""


@dataclass
class Sample:
    """What a run found: latencies in seconds by operation name, and what went wrong."""

    seconds: float = 0.0
    latencies: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    dropped: int = 0

    @property
    def count(self) -> int:
        """Operations that were answered as they should."""
        return sum(len(values) for values in self.latencies.values())

    def add(self, other: "Sample") -> None:
        """Take the findings of another client."""
        for name, values in other.latencies.items():
            self.latencies.setdefault(name, []).extend(values)
        for name, number in other.errors.items():
            self.errors[name] = self.errors.get(name, 0) + number
        self.dropped += other.dropped
        self.seconds = max(self.seconds, other.seconds)

    def only(self, name: str) -> "Sample":
        """Give the part about one operation name."""
        return Sample(self.seconds, {name: self.latencies.get(name, [])})

    def percentile(self, share: float) -> float:
        """Tell a latency, in milliseconds, that this share of all stayed below."""
        values = sorted(v for values in self.latencies.values() for v in values)
        return (
            values[min(len(values) - 1, int(len(values) * share))] * 1000
            if values
            else 0.0
        )


def run(
    operation: Operation,
    base_url: str,
    *,
    clients: int = 8,
    seconds: float | None = 10.0,
    rate: float | None = None,
    token: str = "",
    seed: int = 1,
) -> Sample:
    """Put load on a server for a time, or until the operation says :class:`Finished`.

    :param seconds: ``None``: no matter how long it takes.
    :param rate: operations a second in all, started by timetable whatever the answers
        do; ``None``: every client sends its next one when it has its answer.
    """
    processes = min(2, clients)
    share = [clients // processes + (n < clients % processes) for n in range(processes)]
    context = multiprocessing.get_context("fork")
    pipes = []
    for number, threads in enumerate(share):
        here, there = context.Pipe(duplex=False)
        part = rate * threads / clients if rate else None
        worker = context.Process(
            target=_client_process,
            args=(
                operation,
                base_url,
                threads,
                seconds,
                part,
                token,
                seed * 100 + number,
                there,
            ),
        )
        worker.start()
        pipes.append((worker, here))
    total = Sample()
    for worker, here in pipes:
        total.add(here.recv())
        worker.join()
    return total


def _client_process(
    operation: Operation,
    base_url: str,
    threads: int,
    seconds: float | None,
    rate: float | None,
    token: str,
    seed: int,
    answer: "multiprocessing.connection.Connection",
) -> None:
    samples = [Sample() for _ in range(threads)]
    start = time.perf_counter() + 0.05
    workers = [
        threading.Thread(
            target=_client,
            args=(
                operation,
                Connection(base_url, token),
                random.Random(seed * 1000 + number),
                start + (number / rate if rate else 0.0),
                start + (math.inf if seconds is None else seconds),
                threads / rate if rate else None,
                samples[number],
            ),
        )
        for number in range(threads)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    # What was begun in time was waited for: slow operations end after it.
    total = Sample(max(seconds or 0.0, time.perf_counter() - start))
    for sample in samples:
        total.add(sample)
    answer.send(total)


def _client(
    operation: Operation,
    connection: Connection,
    chance: random.Random,
    start: float,
    end: float,
    interval: float | None,
    sample: Sample,
) -> None:
    due = start
    time.sleep(max(0.0, start - time.perf_counter()))
    while True:
        now = time.perf_counter()
        if interval is not None:
            if due >= end:
                break
            if now - due > 1.0:  # a whole second behind: this arrival is lost
                sample.dropped += 1
                due += interval
                continue
            if due > now:
                time.sleep(due - now)
            began = due
            due += interval
        else:
            if now >= end:
                break
            began = now
        try:
            name = operation(connection, chance)
        except Finished:
            break
        except Exception as error:
            key = f"{type(error).__name__}: {error}"[:120]
            sample.errors[key] = sample.errors.get(key, 0) + 1
        else:
            sample.latencies.setdefault(name, []).append(time.perf_counter() - began)
    connection.close()
