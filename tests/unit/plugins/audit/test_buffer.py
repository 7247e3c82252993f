"""The buffer: what waits is kept once the database is back, in its order."""

import threading

import pytest

from fyr.core import Unavailable
from fyr.plugins.audit import keeping
from fyr.plugins.audit.keeping import Buffer


class Shelf:
    """Keeps rows, but for the first times that it is asked to fail."""

    def __init__(self, failures=0) -> None:
        self.rows = []
        self.failures = failures
        self.kept = threading.Event()

    def keep(self, rows) -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable("the database is down")
        self.rows += rows
        self.kept.set()


def test_rows_are_kept_soon_and_in_their_order() -> None:
    shelf = Shelf()
    buffer = Buffer(shelf.keep, size=100, seconds=0.001)

    for number in range(50):
        buffer.add([{"n": number}])
    buffer.close()

    assert [row["n"] for row in shelf.rows] == list(range(50))


def test_rows_wait_while_the_database_is_down(monkeypatch) -> None:
    monkeypatch.setattr(keeping, "_RETRY_SECONDS", 0.001)
    shelf = Shelf(failures=3)
    buffer = Buffer(shelf.keep, size=100, seconds=0.001)

    buffer.add([{"n": 1}])

    assert shelf.kept.wait(60)
    buffer.close()
    assert shelf.rows == [{"n": 1}]
    assert len(buffer) == 0


def test_an_end_without_any_row_is_no_trouble() -> None:
    Buffer(Shelf().keep, size=1, seconds=1).close()


def test_rows_that_belong_together_are_taken_together_or_not_at_all() -> None:
    shelf = Shelf()
    buffer = Buffer(shelf.keep, size=3, seconds=60)
    buffer.add([{"n": 1}, {"n": 2}])

    with pytest.raises(Unavailable, match="cannot keep up"):
        buffer.add([{"n": 3}, {"n": 4}])

    buffer.close()
    assert shelf.rows == [{"n": 1}, {"n": 2}]
