"""Work is ended once its time is over, and never after it was done."""

import threading

from fyr.core.store.deadlines import Deadlines

LONG = 3600.0


def test_what_takes_too_long_is_ended() -> None:
    deadlines, ended = Deadlines(), threading.Event()

    with deadlines.within(0.01, ended.set) as running:
        assert ended.wait(60)

    assert running.ended
    deadlines.close()


def test_a_short_time_is_noticed_beside_a_long_one() -> None:
    deadlines, short, long = Deadlines(), threading.Event(), threading.Event()

    with deadlines.within(LONG, long.set), deadlines.within(0.01, short.set):
        assert short.wait(60)

    assert not long.is_set()
    deadlines.close()


def test_each_of_many_is_ended() -> None:
    deadlines = Deadlines()
    ended = [threading.Event() for _ in range(20)]

    def work(event: threading.Event) -> None:
        with deadlines.within(0.01, event.set):
            assert event.wait(60)

    threads = [threading.Thread(target=work, args=(event,)) for event in ended]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert all(event.is_set() for event in ended)
    deadlines.close()


def test_what_is_done_is_not_ended_any_more() -> None:
    deadlines, ended = Deadlines(), threading.Event()
    with deadlines.within(LONG, ended.set) as running:
        pass

    running.end()

    assert not ended.is_set()
    assert not running.ended
    deadlines.close()


def test_the_thread_ends_with_the_store() -> None:
    deadlines = Deadlines()
    with deadlines.within(LONG, lambda: None):
        names = {thread.name for thread in threading.enumerate()}
        assert "fyr-deadlines" in names
    thread = deadlines._thread
    assert thread is not None

    deadlines.close()
    thread.join(60)

    assert not thread.is_alive()
