"""What the resource store promises to those who meet; a part of ``contracts.resources``."""

import threading
from collections.abc import Callable

import pytest

from fyr.core.errors import Conflict
from fyr.core.store.port import Database, Session, Stored
from fyr.core.store.resources import ResourceStore
from fyr.core.testing.contracts.storing import StoringContract, version
from fyr.core.testing.contracts.threads import at_once

#: As many transactions as run at the same time with the default ``store.pool_size``.
_TOGETHER = 8


class MeetingContract(StoringContract):
    """Several write, lock, keep or claim the same at the same time."""

    #: whether two transactions can write at the same time
    concurrent_writers = True

    def test_two_processes_never_give_the_same_pid(
        self, store: ResourceStore, opening: Callable[[], Database]
    ) -> None:
        other = ResourceStore(opening())

        def work(chosen: tuple[int, ResourceStore]) -> list[int]:
            number, own = chosen
            pids = []
            for n in range(10):
                new = [version(f"Patient/{number}-{n}-{m}") for m in range(130)]
                pids += [one.pid for one in self.put(own, *new)]
            return pids

        outcomes = at_once(work, enumerate([store, other, store, other]))
        other.database.close()

        given = [pid for pids in outcomes for pid in pids]  # type: ignore[union-attr]
        assert len(given) == len(set(given)) == 5200

    def test_no_update_is_lost(self, store: ResourceStore) -> None:
        def work(_: int) -> list[int]:
            return [self.change(store, "Patient/1").version for _ in range(5)]

        outcomes = at_once(work, range(8))

        made = [number for numbers in outcomes for number in numbers]  # type: ignore[union-attr]
        assert sorted(made) == list(range(1, 41))
        assert store.read("Patient", "1").version == 40  # type: ignore[union-attr]
        history = store.history(type="Patient", id="1", count=100)
        assert [one.version for one in history] == list(range(40, 0, -1))

    def test_of_two_that_store_the_same_version_one_is_refused(
        self, store: ResourceStore
    ) -> None:
        """Also where somebody forgets to lock."""
        pid = self.put(store, version("Patient/1"))[0].pid

        def work(name: str) -> list[Stored]:
            return self.put(store, version("Patient/1", 2, pid=pid, body=name.encode()))

        outcomes = at_once(work, "ab")

        refused = [one for one in outcomes if isinstance(one, Exception)]
        assert [type(one).__name__ for one in refused] == ["Conflict"]
        assert len(store.history(count=9)) == 2

    def test_who_is_behind_by_more_than_one_version_is_refused(
        self, store: ResourceStore
    ) -> None:
        pid = self.change(store, "Patient/1").pid
        self.change(store, "Patient/1")
        third = self.change(store, "Patient/1")

        with pytest.raises(Conflict):
            self.put(store, version("Patient/1", 2, pid=pid, body=b"late"))

        assert store.read("Patient", "1") == third
        assert len(store.history(count=9)) == 3

    @pytest.mark.parametrize("more", [0, 1, 30])
    def test_who_waited_for_a_lock_sees_what_the_other_made(
        self, store: ResourceStore, database: Database, more: int
    ) -> None:
        names = ["1", *(f"more-{number}" for number in range(more))]
        keys = [("Patient", name) for name in names]
        self.put(store, *(version(f"Patient/{name}") for name in names))
        key = keys[0]
        held = threading.Event()
        seen: list[Stored] = []

        def second() -> None:
            assert held.wait(60)
            found = database.write(lambda session: store.lock(session, keys))
            assert sorted(found) == sorted(keys)
            seen.append(found[key])

        def first(session: Session) -> None:
            head = store.lock(session, [key])[key]
            held.set()
            # Nobody tells that it waits; who does not wait is done long before.
            waiting.join(0.3)
            store.put(session, [version("Patient/1", 2, pid=head.pid)])

        waiting = threading.Thread(target=second)
        waiting.start()
        database.write(first)
        waiting.join()

        assert seen == [store.read(*key)]
        assert (seen[0].version, seen[0].body) == (2, b'{"n":2}')

    def test_locks_of_many_in_any_order_do_not_block_each_other_for_good(
        self, store: ResourceStore, database: Database
    ) -> None:
        keys = [("Patient", str(n)) for n in range(12)]
        self.put(store, *(version("/".join(key)) for key in keys))

        def work(number: int) -> int:
            order = keys[number:] + keys[:number]
            if number % 2:
                order.reverse()
            return sum(
                len(database.write(lambda session: store.lock(session, order)))
                for _ in range(10)
            )

        assert at_once(work, range(8)) == [120] * 8

    def test_many_keep_the_same_and_who_changes_it_comes_after_them(
        self, store: ResourceStore, database: Database
    ) -> None:
        self.put(store, version("Patient/1"))
        key = ("Patient", "1")
        together = threading.Barrier(2 if self.concurrent_writers else 1)
        kept = threading.Barrier(3)
        done: list[str] = []

        def keeper(_number: int) -> None:
            def work(session: Session) -> None:
                assert store.keep(session, [key]) == {key: 1}
                # Where writers take turns, one has ended before the other begins.
                together.wait(60)
                if self.concurrent_writers:
                    kept.wait(60)
                # Nobody tells that it waits; who does not wait is done long before.
                changing.join(0.3)
                done.append("kept")

            database.write(work)

        def change(session: Session) -> None:
            head = store.lock(session, [key])[key]
            store.put(session, [version("Patient/1", 2, pid=head.pid)])
            done.append("changed")

        def changer() -> None:
            if self.concurrent_writers:
                kept.wait(60)
                database.write(change)

        changing = threading.Thread(target=changer)
        changing.start()
        assert at_once(keeper, range(2)) == [None, None]
        changing.join()

        assert done[:2] == ["kept", "kept"]
        assert done[2:] == (["changed"] if self.concurrent_writers else [])

    def test_of_64_who_claim_the_same_exactly_one_creates(
        self, store: ResourceStore, database: Database
    ) -> None:
        find = "SELECT pid FROM idx_token WHERE param = 1 AND code = 'x'"
        together = threading.Barrier(_TOGETHER)

        def work(number: int) -> bool:
            attempts = []

            def one(session: Session) -> bool:
                session.rows("SELECT 1")
                attempts.append(number)
                if self.concurrent_writers and len(attempts) == 1:
                    together.wait(60)
                store.claim(session, "Patient?identifier=" + "x" * 5000)
                if session.rows(find):
                    return False
                index = {"idx_token": [(1, "x", 0)]}
                store.put(session, [version(f"Patient/{number}", index=index)])
                return True

            return database.write(one)

        outcomes = at_once(work, range(64))

        assert sorted(map(str, outcomes)) == ["False"] * 63 + ["True"]
        assert store.count() == 1
        assert database.rows("SELECT * FROM unique_claim") == []

    def test_a_claim_is_let_go_by_who_fails(
        self, store: ResourceStore, database: Database
    ) -> None:
        def fails(session: Session) -> None:
            store.claim(session, "k")
            session.rows("SELECT 1")
            raise LookupError("k")

        with pytest.raises(LookupError):
            database.write(fails)

        database.write(lambda session: store.claim(session, "k"))
