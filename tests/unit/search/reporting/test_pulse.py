"""How an index is, for those who cannot wait."""

import threading

import pytest

from fyr.search.reporting import pulse as module
from fyr.search.reporting.pulse import Pulse


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that comes at once may take its time on a busy machine."""
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 60)
    monkeypatch.setattr(module, "_FRESH_SECONDS", 3600)


def test_an_answer_that_comes_at_once_is_told_at_once() -> None:
    assert Pulse(lambda: "it is away").problem() == "it is away"


def test_nobody_waits_for_an_index_that_does_not_answer(monkeypatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(module, "_FRESH_SECONDS", 0)
    answers = threading.Event()

    def hangs() -> str:
        answers.wait(60)
        return "it is slow"

    pulse = Pulse(hangs)
    first = pulse.problem()
    answers.set()
    pulse.close()

    assert (first, pulse.problem()) == ("", "it is slow")


def test_it_is_not_looked_at_more_often_than_need_be() -> None:
    looks = []

    def look() -> str:
        looks.append(1)
        return ""

    pulse = Pulse(look)
    for _ in range(5):
        pulse.problem()

    assert len(looks) == 1


def test_a_look_that_fails_is_a_problem() -> None:
    def fails() -> str:
        raise ValueError("no")

    assert Pulse(fails).problem() == "it cannot be looked at: ValueError"
