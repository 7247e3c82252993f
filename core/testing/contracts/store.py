"""What a database promises to everything that is built on it.

Inherit :class:`DatabaseContract` and :class:`ResourceStoreContract`, and give the
fixture ``opening``: it opens the test's own store, which is empty at first, with its
schema up to date, and each time as another process would.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from fyr.core.errors import Conflict, FyrError, Invalid, Unavailable
from fyr.core.store.port import Database, Session
from fyr.core.testing.contracts.resources import ResourceStoreContract
from fyr.core.testing.contracts.threads import at_once

__all__ = ["DatabaseContract", "ResourceStoreContract"]

#: A table that has a key and a value, and that nothing else uses.
_PUT = "INSERT INTO shared_value (name, value) VALUES (?, ?)"
_PUT_SAME = "INSERT INTO shared_value (name, value) VALUES (?, 'same')"
_SET = "UPDATE shared_value SET value = ? WHERE name = ?"
_GET = "SELECT value FROM shared_value WHERE name = ?"
_NAMES = "SELECT name FROM shared_value ORDER BY name"


def names(database: Database) -> list[str]:
    return [row[0] for row in database.rows(_NAMES)]


def put(database: Database, name: str, value: str = "") -> None:
    database.write(lambda session: session.run(_PUT, (name, value)))


class DatabaseContract:
    """Tests to inherit; ``concurrent_writers`` tells what the database can do."""

    #: whether two transactions can write at the same time
    concurrent_writers = True

    @pytest.fixture
    def database(self, opening: Callable[[], Database]) -> Iterator[Database]:
        opened = opening()
        yield opened
        opened.close()

    def test_what_is_committed_is_there_after_a_restart(
        self, opening: Callable[[], Database]
    ) -> None:
        first = opening()
        put(first, "a", "æ")
        first.close()
        second = opening()

        assert second.rows(_GET, ("a",)) == [("æ",)]
        second.close()

    def test_many_processes_may_start_on_an_empty_store_at_once(
        self, opening: Callable[[], Database]
    ) -> None:
        opened = at_once(lambda _: opening(), range(6))

        assert [one for one in opened if isinstance(one, Exception)] == []
        for one in opened:
            one.close()  # type: ignore[union-attr]

    def test_a_transaction_that_fails_half_way_leaves_nothing(
        self, database: Database
    ) -> None:
        def half(session: Session) -> None:
            session.run(_PUT, ("a", ""))
            session.rows(_NAMES)
            session.run(_PUT, ("b", ""))
            raise LookupError("half way")

        with pytest.raises(LookupError, match="half way"):
            database.write(half)

        assert names(database) == []

    def test_a_transaction_sees_what_it_has_run(self, database: Database) -> None:
        def work(session: Session) -> list[tuple[Any, ...]]:
            session.run(_PUT, ("a", "1"))
            session.run_many(_SET, [("2", "a"), ("3", "a")])
            return session.rows(_GET, ("a",))

        assert database.write(work) == [("3",)]

    def test_nobody_sees_a_transaction_before_its_commit(
        self, database: Database
    ) -> None:
        def work(session: Session) -> list[str]:
            session.run(_PUT, ("a", ""))
            session.rows(_NAMES)
            return names(database)

        assert database.write(work) == []
        assert names(database) == ["a"]

    def test_what_is_fetched_ahead_is_what_is_there(self, database: Database) -> None:
        for name in ("a", "b"):
            put(database, name, f"value of {name}")
        wanted = ("a", "none", "b", "a")
        database.ahead([(_GET, (name,)) for name in wanted])

        found = [database.rows(_GET, (name,)) for name in wanted]

        assert found == [[("value of a",)], [], [("value of b",)], [("value of a",)]]
        assert names(database) == ["a", "b"]
        database.ahead(())

    def test_what_was_fetched_ahead_is_for_one_thread_and_can_be_forgotten(
        self, database: Database
    ) -> None:
        put(database, "a", "old")
        database.ahead([(_GET, ("a",)), (_NAMES, ())])
        database.write(lambda session: session.run(_SET, ("new", "a")))

        assert at_once(lambda name: database.rows(_GET, (name,)), ["a"]) == [[("new",)]]
        database.ahead(())
        assert database.rows(_GET, ("a",)) == [("new",)]

    def test_a_statement_that_fails_ahead_is_told_and_spoils_nothing(
        self, database: Database
    ) -> None:
        put(database, "a", "value")
        wrong = "SELECT value FROM no_such_table"
        with suppress(FyrError):
            database.ahead([(_GET, ("a",)), (wrong, ())])

        assert database.rows(_GET, ("a",)) == [("value",)]
        with pytest.raises(FyrError):
            database.rows(wrong)

    def test_a_read_stays_on_one_snapshot_and_holds_up_no_writer(
        self, database: Database
    ) -> None:
        def work(session: Session) -> tuple[Any, Any]:
            before = session.rows(_NAMES)
            writer = threading.Thread(target=put, args=(database, "b"))
            writer.start()
            writer.join()
            return before, session.rows(_NAMES)

        put(database, "a")
        before, after = database.read(work)

        assert before == after == [("a",)]
        assert names(database) == ["a", "b"]

    def test_a_read_cannot_write(self, database: Database) -> None:
        with pytest.raises(FyrError):
            database.read(lambda session: session.run(_PUT, ("a", "")))

        assert names(database) == []

    def test_everybody_of_many_writers_gets_an_answer(self, database: Database) -> None:
        def work(number: int) -> int:
            def one(session: Session) -> int:
                session.run(_PUT, (f"{number:02}", ""))
                return number

            return database.write(one)

        assert at_once(work, range(64)) == list(range(64))
        assert names(database) == [f"{number:02}" for number in range(64)]

    def test_a_writer_that_fails_takes_nobody_with_it(self, database: Database) -> None:
        def work(number: int) -> None:
            def one(session: Session) -> None:
                session.run(_PUT, (f"{number:02}", ""))
                if number % 3 == 0:
                    raise LookupError(number)

            database.write(one)

        outcomes = at_once(work, range(30))

        failed = [n for n, one in enumerate(outcomes) if one is not None]
        assert failed == list(range(0, 30, 3))
        assert names(database) == [f"{n:02}" for n in range(30) if n % 3]

    def test_writers_of_two_processes_lose_nothing(
        self, database: Database, opening: Callable[[], Database]
    ) -> None:
        other = opening()
        put(database, "n", "0")
        sql = "UPDATE shared_value SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)"

        def work(chosen: Database) -> None:
            for _ in range(20):
                chosen.write(lambda session: session.run(sql))

        outcomes = at_once(work, [database, other] * 3)
        other.close()

        assert outcomes == [None] * 6
        assert database.rows(_GET, ("n",)) == [("120",)]

    def test_two_that_wait_for_each_other_both_succeed(
        self, database: Database
    ) -> None:
        """A deadlock is found by the database, and the one it ends is run again."""
        put(database, "a")
        put(database, "b")
        both_hold = threading.Barrier(2)

        def work(order: str) -> None:
            attempts = []

            def one(session: Session) -> None:
                attempts.append(order)
                session.run(_SET, (order, order[0]))
                session.rows(_NAMES)
                if self.concurrent_writers and len(attempts) == 1:
                    both_hold.wait(60)
                session.run(_SET, (order, order[1]))

            database.write(one)

        assert at_once(work, ["ab", "ba"]) == [None, None]
        assert database.rows(_GET, ("a",)) == database.rows(_GET, ("b",))

    def test_a_race_that_is_lost_every_time_is_a_conflict(
        self, database: Database
    ) -> None:
        put(database, "a", "first")

        with pytest.raises(Conflict):
            put(database, "a", "second")

        assert database.rows(_GET, ("a",)) == [("first",)]

    @pytest.mark.parametrize("goes_on", [True, False])
    def test_a_statement_that_fails_ends_the_transaction_whoever_catches_it(
        self, database: Database, goes_on: bool
    ) -> None:
        def work(session: Session) -> None:
            session.run(_PUT, ("a", ""))
            try:
                session.rows("SELECT * FROM no_such_table")
            except Exception:
                if goes_on:
                    session.run(_PUT, ("b", ""))

        with pytest.raises(FyrError):
            database.write(work)

        assert names(database) == []
        put(database, "c")
        assert names(database) == ["c"]

    def test_a_write_inside_a_write_is_refused(self, database: Database) -> None:
        def work(session: Session) -> None:
            put(database, "inner")

        with pytest.raises(RuntimeError, match="write inside write"):
            database.write(work)

    def test_a_read_inside_a_write_sees_what_is_committed(
        self, database: Database
    ) -> None:
        put(database, "a")

        def work(_: int) -> list[str]:
            return database.write(lambda session: names(database))

        assert at_once(work, range(20)) == [["a"]] * 20

    @pytest.mark.parametrize("value", [2**63, "\ud800", -(2**63) - 1])
    def test_a_value_that_cannot_be_stored_is_refused(
        self, database: Database, value: Any
    ) -> None:
        sql = "INSERT INTO unique_claim (key) VALUES (?)"
        if isinstance(value, int):
            sql = "UPDATE outbox_head SET trimmed = ?"

        with pytest.raises(Invalid):
            database.write(lambda session: session.run(sql, (value,)))
        with pytest.raises(Invalid):
            database.rows("SELECT name FROM shared_value WHERE name = ?", ("\udfff",))

    def test_a_statement_that_is_wrong_is_told_without_its_text(
        self, database: Database
    ) -> None:
        with pytest.raises(FyrError) as told:
            database.rows("SELECT * FROM no_such_table")

        assert type(told.value) is FyrError
        assert "no_such_table" not in str(told.value)

    def test_values_come_back_as_they_went_in(self, database: Database) -> None:
        row = (
            "Ærø 'x' 50 % ?",
            -(2**63),
            2**63 - 1,
            0.1,
            1e300,
            bytes(range(256)),
            None,
        )
        sql = (
            "SELECT CAST(? AS TEXT), CAST(? AS BIGINT), CAST(? AS BIGINT),"
            " CAST(? AS DOUBLE PRECISION), CAST(? AS DOUBLE PRECISION), body, method"
            " FROM version"
        )

        def work(session: Session) -> list[tuple[Any, ...]]:
            session.run(
                "INSERT INTO version (pid, version, updated, type, method, body)"
                " VALUES (1, 1, 1, 'Basic', 'PUT', ?)",
                (row[5],),
            )
            return session.rows(sql, row[:5])

        assert database.write(work) == [(*row[:6], "PUT")]

    def test_a_mark_in_quoted_text_is_text(self, database: Database) -> None:
        rows = database.rows("SELECT '?', 'it''s 5 %', CAST(? AS BIGINT)", (7,))

        assert rows == [("?", "it's 5 %", 7)]

    @pytest.mark.parametrize("count", [0, 1, 2, 3, 63, 64, 65, 150])
    @pytest.mark.parametrize("put", [_PUT, _PUT_SAME])
    def test_a_statement_is_run_once_for_each_row(
        self, database: Database, count: int, put: str
    ) -> None:
        rows = [(f"{number:03}", str(number)) for number in range(count)]
        for _ in range(2):

            def work(session: Session) -> None:
                session.run("DELETE FROM shared_value")
                session.run_many(put, [row[: put.count("?")] for row in rows])
                session.run_many(_SET, [("?", name) for name, _ in rows[:2]])

            database.write(work)

        values = [str(n) if put == _PUT else "same" for n in range(count)]
        expected = [(value if n > 1 else "?",) for n, value in enumerate(values)]
        assert database.rows("SELECT value FROM shared_value ORDER BY name") == expected

    def test_statements_survive_a_table_that_changes(
        self, database: Database, opening: Callable[[], Database]
    ) -> None:
        put(database, "a", "1")
        everything = "SELECT * FROM shared_value"
        for _ in range(3):
            assert database.rows(everything) == [("a", "1")]
        other = opening()
        other.write(
            lambda s: s.run(
                "ALTER TABLE shared_value ADD COLUMN more INTEGER DEFAULT 3"
            )
        )
        other.close()

        assert database.rows(everything) == [("a", "1", 3)]
        assert database.write(lambda s: s.rows(everything)) == [("a", "1", 3)]

    def test_health_is_told(self, opening: Callable[[], Database]) -> None:
        database = opening()
        healthy = database.health()
        database.close()
        database.close()

        assert healthy == ""
        assert database.health() == "the store is closed"
        with pytest.raises(Unavailable):
            put(database, "a")
