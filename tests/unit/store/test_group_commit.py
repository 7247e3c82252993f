import threading
from collections.abc import Callable
from typing import Any

import pytest

from fyr.core.errors import Unavailable
from fyr.core.store.group_commit import AT_ONCE, GroupCommit, Task


class Commits:
    """Carries out batches, each when the test lets it."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.began = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, batch: list[Task[Any]]) -> None:
        self.sizes.append(len(batch))
        self.began.set()
        assert self.go_on.wait(60)
        for task in batch:
            task.carry_out(None)  # type: ignore[arg-type]


def started(call: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=call)
    thread.start()
    return thread


def waiting(commits: GroupCommit, count: int) -> None:
    """Wait until so many works stand in the queue."""
    while len(commits._waiting) < count:
        threading.Event().wait(0.001)


def test_who_is_alone_carries_out_its_own_work() -> None:
    carry_out = Commits()
    carry_out.go_on.set()
    commits = GroupCommit(carry_out)

    ident = commits.submit(lambda session: threading.get_ident())

    assert ident == threading.get_ident()


def test_what_comes_in_meanwhile_shares_the_next_commit() -> None:
    carry_out = Commits()
    commits = GroupCommit(carry_out)
    results: list[int] = []
    threads = [started(lambda: commits.submit(lambda session: None))]
    assert carry_out.began.wait(60)
    for number in range(5):
        threads.append(
            started(lambda n=number: results.append(commits.submit(lambda _: n)))  # type: ignore[misc]
        )
    waiting(commits, 5)
    carry_out.go_on.set()
    for thread in threads:
        thread.join()

    assert carry_out.sizes == [1, 5]
    assert sorted(results) == list(range(5))


def test_a_batch_is_no_longer_than_its_limit() -> None:
    carry_out = Commits()
    commits = GroupCommit(carry_out)
    threads = [started(lambda: commits.submit(lambda session: None))]
    assert carry_out.began.wait(60)
    count = AT_ONCE + 3
    threads += [started(lambda: commits.submit(lambda _: None)) for _ in range(count)]
    waiting(commits, count)
    carry_out.go_on.set()
    for thread in threads:
        thread.join()

    assert carry_out.sizes == [1, AT_ONCE, 3]


def test_a_batch_that_breaks_is_told_to_everybody_in_it() -> None:
    def broken(batch: list[Task[Any]]) -> None:
        raise MemoryError("no room")

    commits = GroupCommit(broken)

    with pytest.raises(MemoryError):
        commits.submit(lambda session: None)
    with pytest.raises(MemoryError):
        commits.submit(lambda session: None)


def test_who_follows_a_leader_that_breaks_is_told_and_the_next_one_leads() -> None:
    carry_out = Commits()
    errors: list[Exception] = []

    def breaks_at_two(batch: list[Task[Any]]) -> None:
        carry_out(batch)
        if len(batch) == 2:
            raise MemoryError("no room")

    commits = GroupCommit(breaks_at_two)

    def submit() -> None:
        try:
            commits.submit(lambda session: None)
        except Exception as error:
            errors.append(error)

    threads = [started(submit)]
    assert carry_out.began.wait(60)
    threads += [started(submit), started(submit)]
    waiting(commits, 2)
    carry_out.go_on.set()
    for thread in threads:
        thread.join()

    assert sorted(type(error).__name__ for error in errors) == [
        "MemoryError",
        "Unavailable",
    ]
    assert commits.submit(lambda session: 7) == 7


def test_who_is_interrupted_while_it_waits_lets_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    carry_out = Commits()
    commits = GroupCommit(carry_out)
    first = started(lambda: commits.submit(lambda session: None))
    assert carry_out.began.wait(60)

    def interrupted(task: Task[Any]) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Task, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            commits.submit(lambda session: None)
    carry_out.go_on.set()
    first.join()

    assert commits.submit(lambda session: 7) == 7
    assert carry_out.sizes == [1, 1]


def test_unavailable_is_what_a_work_is_told_that_nobody_did() -> None:
    def does_nothing_and_leaves(batch: list[Task[Any]]) -> None:
        for task in batch:
            task.error = Unavailable("the store is closed")

    with pytest.raises(Unavailable, match="closed"):
        GroupCommit(does_nothing_and_leaves).submit(lambda session: None)
