"""Both indexes, filled with what a test has."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from hypothesis import HealthCheck, Phase, settings

from fyr.search.finding.cursors import Cursors
from fyr.search.reporting.asking.answering import Answer, Answering
from fyr.search.reporting.asking.desk import asked
from fyr.search.reporting.asking.knowing import Known
from fyr.search.reporting.asking.reading import question
from fyr.search.reporting.port import Document, ReportingIndex

from .questions import CLOCK, KNOWN, OBSERVATION, Values

GENERATIONS = count(1)


class Filled:
    """An index that holds what the test says, and answers questions."""

    def __init__(self, index: ReportingIndex) -> None:
        self._index = index
        self._answering = Answering(asked(index), Cursors(b"k" * 32, CLOCK, 3600))

    @contextmanager
    def holding(self, held: list[Values]) -> Iterator[Callable[[list[Values]], None]]:
        generation = next(GENERATIONS)
        self._index.create(generation, {"Observation": OBSERVATION})
        self._index.put(generation, [document(values) for values in held])
        self._index.show(generation)
        self._index.refresh()

        def put(more: list[Values]) -> None:
            self._index.put(generation, [document(values) for values in more])
            self._index.refresh()

        yield put
        self._index.drop(generation)

    def answer(
        self, sent: dict[str, Any], known: Known = KNOWN, identity: str = "somebody"
    ) -> Answer:
        return self._answering.answer(question(sent, known), known, identity)

    def rows(self, sent: dict[str, Any], known: Known = KNOWN) -> list[list[Any]]:
        """Ask for all pages."""
        found: list[list[Any]] = []
        page: str | None = ""
        while page is not None:
            answer = self.answer({**sent, "page": page}, known)
            assert len(answer.rows) <= sent.get("count", 1000)
            found += [list(row) for row in answer.rows]
            page = answer.next
        return found


def document(values: Values) -> Document:
    kept = {name: one for name, one in values.items() if name not in ("id", "version")}
    return Document("Observation", values["id"], values["version"], kept)


SLOWLY = settings(
    max_examples=int(os.environ.get("FYR_TEST_QUESTIONS", "25")),
    deadline=None,
    # With an Elasticsearch a smaller example takes longer than to read a larger one.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
