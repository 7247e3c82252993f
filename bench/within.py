"""Operations timed within this process, on a store that is thrown away.

What a request costs without a network.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fyr.core.app import Application
from fyr.core.clock import Clock
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.postgres import running_postgres

#: Calls before those that count.
_WARM = 3


@contextmanager
def clinic(store: str, clock: Clock) -> Iterator[Application]:
    """Build an application with the clinical services, in open mode.

    :param store: ``sqlite``, ``postgresql``, or the URL of one that runs.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = store
        if store == "sqlite":
            url = f"sqlite:///{folder / 'fyr.db'}"
        elif store == "postgresql":
            url = stack.enter_context(running_postgres(durable=True)).new_database()
        options = {
            "store": {"url": url},
            "plugins": {"enabled": ["search", "administrative", "clinical"]},
        }
        settings = settings_with(options, folder)
        yield stack.enter_context(application(settings, clock))


@dataclass(frozen=True)
class Timed:
    """How long calls took, in milliseconds."""

    took: list[float]
    #: of CPU, on average
    busy: float
    #: the last one
    answer: Answer

    def __str__(self) -> str:
        """Write the figures of a line."""
        p95 = statistics.quantiles(self.took, n=20)[-1]
        return (
            f"{statistics.median(self.took):.0f} ms median, {min(self.took):.0f} least,"
            f" {p95:.0f} p95, {max(self.took):.0f} slowest, {self.busy:.0f} of CPU"
        )


def timed(
    built: Application, operation: str, given: list[dict[str, Any]], repeat: int
) -> Timed:
    """Call an operation of the service careplan, again and again.

    :param given: its parameters.
    """
    client = Client(client_of(built).wsgi, "/careplan/fhir")
    sent = {"resourceType": "Parameters", "parameter": given}
    took = []
    for number in range(repeat + _WARM):
        if number == _WARM:
            busy = time.process_time()
        began = time.perf_counter()
        answer = client.post(operation, sent)
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status == 200, answer.body
    busy = (time.process_time() - busy) * 1000 / repeat
    return Timed(took[_WARM:], busy, answer)
