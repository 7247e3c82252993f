"""A store that does not answer does not take all threads that ask it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from fyr.core.blobs.breaker import Breaker, Unreachable
from fyr.core.blobs.s3 import S3Blobs
from fyr.core.errors import Unavailable


def fail(breaker: Breaker) -> None:
    with pytest.raises(Unreachable, match="nobody"), breaker.attempt():
        raise Unreachable("nobody answers")


@contextmanager
def one_that_waits(breaker: Breaker) -> Iterator[None]:
    within, go = Event(), Event()

    def wait() -> None:
        with breaker.attempt():
            within.set()
            go.wait(60)

    thread = Thread(target=wait)
    thread.start()
    assert within.wait(60)
    try:
        yield
    finally:
        go.set()
        thread.join()


def test_calls_pass_side_by_side_while_it_answers() -> None:
    breaker = Breaker()

    with one_that_waits(breaker), breaker.attempt():
        pass


def test_once_it_is_away_one_tries_and_the_others_are_told_at_once() -> None:
    breaker = Breaker()
    fail(breaker)

    with one_that_waits(breaker):
        with pytest.raises(Unavailable), breaker.attempt():
            raise AssertionError("this one was to be told")

    with one_that_waits(breaker), breaker.attempt():
        pass


def test_the_next_one_tries_when_the_one_before_has_failed_too() -> None:
    breaker = Breaker()
    fail(breaker)
    fail(breaker)

    with breaker.attempt():
        pass
    with one_that_waits(breaker), breaker.attempt():
        pass


def test_an_answer_that_is_an_error_is_an_answer() -> None:
    breaker = Breaker()
    with pytest.raises(Unavailable), breaker.attempt():
        raise Unavailable("the blob store is not able to answer")

    with one_that_waits(breaker), breaker.attempt():
        pass


def test_an_error_of_a_store_that_is_back_lets_the_others_in() -> None:
    breaker = Breaker()
    fail(breaker)
    with pytest.raises(Unavailable), breaker.attempt():
        raise Unavailable("the blob store answers SlowDown")

    with one_that_waits(breaker), breaker.attempt():
        pass


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    blobs = S3Blobs(
        "127.0.0.1:1", "bucket", access_key="a", secret_key="b", secure=False
    )

    with pytest.raises(Unreachable):
        blobs.size("a" * 64)
    assert blobs.health() == "the blob store cannot be reached"
    blobs.close()
