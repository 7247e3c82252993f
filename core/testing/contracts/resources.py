"""What the resource store promises on every database; see ``contracts.store``."""

import random
from typing import Any

import pytest

from fyr.core.store.port import Database, Session, Stored
from fyr.core.store.resources import ResourceStore
from fyr.core.store.schema import INDEX_TABLES
from fyr.core.testing.contracts.histories import HistoryContract
from fyr.core.testing.contracts.meeting import MeetingContract
from fyr.core.testing.contracts.storing import version

#: A row for each index table.
INDEX: dict[str, list[tuple[Any, ...]]] = {
    "idx_token": [(1, "a", 0), (1, "b", -(2**63))],
    "idx_string": [(2, "ærø", "Ærø")],
    "idx_reference": [(3, "1", "Patient")],
    "idx_date": [(4, -5, 2**62)],
    "idx_number": [(5, 0.1, 1e300)],
    "idx_quantity": [(6, 1.5, 2.5, "mm", 7)],
    "idx_uri": [(-(2**31), "urn:x")],
    "idx_composite": [(8, "a", 1, "mm", -(2**63), 1.5, 1e300)],
    "idx_position": [(9, 0.6, 0.0, -0.8)],
}


class ResourceStoreContract(HistoryContract, MeetingContract):
    """Tests to inherit; ``concurrent_writers`` tells what the database can do."""

    def index_rows(self, database: Database, pid: int) -> dict[str, set[Any]]:
        found = {
            table: set(
                database.rows(
                    f"SELECT {', '.join(columns)} FROM {table} WHERE pid = ?", (pid,)
                )
            )
            for table, columns in INDEX_TABLES.items()
        }
        return {table: rows for table, rows in found.items() if rows}

    @pytest.mark.parametrize(
        "body",
        [
            '{"æ":"\\u0000 50%","n":1.00}'.encode(),
            b'{"resourceType":"Patient","id":"1","active":true}',
            b"",
            bytes(range(256)) * 8,
            random.Random(1).randbytes(5000),
            b'{"text":"%b"}' % (b"a long story " * 100_000),
        ],
        ids=["small", "plain", "empty", "bytes", "random", "long"],
    )
    def test_what_is_stored_is_read_byte_by_byte(
        self, store: ResourceStore, body: bytes
    ) -> None:
        (stored,) = self.put(store, version("Patient/1", body=body))

        assert stored.body == body
        assert store.read("Patient", "1") == stored
        assert store.vread("Patient", "1", 1) == stored
        self.change(store, "Patient/1")
        assert store.vread("Patient", "1", 1) == stored

    def test_bodies_of_versions_are_read_whatever_has_come_after_them(
        self, store: ResourceStore
    ) -> None:
        names = [f"Patient/{number}" for number in range(1300)]
        put = self.put(store, *(version(one, body=one.encode()) for one in names))
        keys = [(one.pid, 1) for one in reversed(put)]
        for number in range(0, 1300, 100):
            self.change(store, f"Patient/{number}")

        found = list(store.bodies(keys))

        assert found == [name.encode() for name in reversed(names)]
        assert list(store.bodies([(keys[0][0], 2), keys[0]])) == [None, found[0]]

    def test_what_was_never_there_is_none(self, store: ResourceStore) -> None:
        self.put(store, version("Patient/1"))

        assert store.read("Patient", "2") is None
        assert store.read("patient", "1") is None
        assert store.vread("Patient", "1", 2) is None

    def test_another_one_is_read_along_as_it_is_then(
        self, store: ResourceStore
    ) -> None:
        (one, _) = self.put(
            store, version("Patient/1"), version("Patient/2", body=b'{"n":1}')
        )

        assert store.read_along("Patient", "1", "Patient/2") == (one, {"n": 1})
        assert store.read_along("Patient", "1", "Patient/3") == (one, None)
        assert store.read_along("Patient", "3", "Patient/2") == (None, None)
        self.change(store, "Patient/2", body=b'{"n":2}')
        assert store.read_along("Patient", "1", "Patient/2") == (one, {"n": 2})
        self.change(store, "Patient/2", body=None, method="DELETE")
        assert store.read_along("Patient", "1", "Patient/2") == (one, None)

    def test_old_versions_stay(self, store: ResourceStore) -> None:
        first = self.change(store, "Patient/1")
        second = self.change(store, "Patient/1")

        third = self.change(store, "Patient/1")

        assert first.pid == second.pid == third.pid
        assert store.read("Patient", "1") == third
        assert store.vread("Patient", "1", 3) == third
        assert store.vread("Patient", "1", 2) == second
        assert store.vread("Patient", "1", 1) == first
        assert store.vread("Patient", "1", 4) is None

    def test_many_versions_are_read_at_once(self, store: ResourceStore) -> None:
        first = self.change(store, "Patient/1")
        second = self.change(store, "Patient/1")
        other = self.change(store, "Patient/2")
        many = [("Patient", f"x{number}", 1) for number in range(500)]
        wanted = [
            ("Patient", "1", 1),
            *many,
            ("Patient", "1", 2),
            ("Patient", "1", 3),
            ("Patient", "2", 1),
        ]

        assert store.vread_many([]) == {}
        assert store.vread_many(wanted) == {
            ("Patient", "1", 1): first,
            ("Patient", "1", 2): second,
            ("Patient", "2", 1): other,
        }

    def test_a_deleted_resource_is_read_as_such_and_may_come_back(
        self, store: ResourceStore
    ) -> None:
        self.change(store, "Patient/1")
        gone = self.change(store, "Patient/1", body=None, method="DELETE")
        read = store.read("Patient", "1")
        count = store.count()
        back = self.change(store, "Patient/1")

        assert read == gone
        assert gone.deleted
        assert store.vread("Patient", "1", 2) == gone
        assert count == 0
        assert (back.version, back.deleted) == (3, False)
        assert store.counts() == {"Patient": 1}

    def test_index_rows_are_those_of_the_newest_version(
        self, store: ResourceStore, database: Database
    ) -> None:
        first = self.change(store, "Patient/1", index=INDEX)
        before = self.index_rows(database, first.pid)
        self.change(store, "Patient/1", index={"idx_uri": [(9, "urn:y")]})
        after = self.index_rows(database, first.pid)
        self.change(store, "Patient/1", body=None, method="DELETE")

        assert before == {table: set(rows) for table, rows in INDEX.items()}
        assert after == {"idx_uri": {(9, "urn:y")}}
        assert self.index_rows(database, first.pid) == {}

    def test_each_version_has_its_row_in_the_outbox(
        self, store: ResourceStore, database: Database
    ) -> None:
        self.change(store, "Patient/1", trace_id="t1")
        self.change(store, "Patient/1", body=None, method="DELETE")

        assert database.rows(
            "SELECT topic, type, id, version, method, trace_id, at FROM outbox"
            " ORDER BY seq"
        ) == [
            ("resource", "Patient", "1", 1, "POST", "t1", 1000),
            ("resource", "Patient", "1", 2, "DELETE", "", 2000),
        ]

    def test_a_batch_that_fails_half_way_leaves_nothing(
        self, store: ResourceStore, database: Database
    ) -> None:
        def work(session: Session) -> None:
            store.put(session, [version(f"Patient/{n}", index=INDEX) for n in range(9)])
            session.rows("SELECT 1")
            raise LookupError("half way")

        with pytest.raises(LookupError, match="half way"):
            database.write(work)

        for table in ("resource", "version", "outbox", *INDEX_TABLES):
            assert database.rows(f"SELECT * FROM {table}") == []

    def test_a_thousand_resources_are_stored_at_once(
        self, store: ResourceStore, database: Database
    ) -> None:
        names = [f"Patient/{n:04}" for n in range(1000)]
        stored = self.put(store, *(version(name, index=INDEX) for name in names))

        def read(session: Session) -> tuple[list[Stored], list[Stored]]:
            keys = [(one.type, one.id) for one in stored]
            pids = [one.pid for one in reversed(stored)]
            return store.read_many(session, keys), store.read_many(session, pids)

        by_key, by_pid = database.read(read)
        assert by_key == stored
        assert by_pid == stored[::-1]
        assert len({one.pid for one in stored}) == 1000
        assert store.counts() == {"Patient": 1000}

    def test_what_is_not_there_is_left_out_of_many(
        self, store: ResourceStore, database: Database
    ) -> None:
        (stored,) = self.put(store, version("Patient/1"))

        assert database.read(lambda s: store.read_many(s, [])) == []
        assert database.read(lambda s: store.read_many(s, [stored.pid, 77])) == [stored]
        keys = [("Patient", "2"), ("Patient", "1")]
        assert database.read(lambda s: store.read_many(s, keys)) == [stored]

    def test_a_lock_tells_of_deleted_resources_and_not_of_absent_ones(
        self, store: ResourceStore, database: Database
    ) -> None:
        self.change(store, "Patient/1")
        gone = self.change(store, "Patient/1", body=None, method="DELETE")
        keys = [("Patient", "2"), ("Patient", "1"), ("Patient", "1")]

        assert database.write(lambda session: store.lock(session, keys)) == {
            ("Patient", "1"): gone
        }

    def test_what_is_kept_is_told_by_its_version_and_not_if_it_is_gone(
        self, store: ResourceStore, database: Database
    ) -> None:
        self.put(store, version("Patient/1"), version("Patient/2"))
        self.change(store, "Patient/3")
        self.change(store, "Patient/3", body=None, method="DELETE")
        keys = [("Patient", name) for name in ("3", "2", "1", "1", "4")]

        def kept(names: list[tuple[str, str]]) -> dict[tuple[str, str], int]:
            return database.write(lambda session: store.keep(session, names))

        assert kept(keys) == {("Patient", "1"): 1, ("Patient", "2"): 1}
        assert kept(keys[1:2]) == {("Patient", "2"): 1}

    def test_some_are_read_at_once_each_as_it_is_read_alone(
        self, store: ResourceStore
    ) -> None:
        self.put(store, version("Patient/1"), version("Observation/1"))
        self.change(store, "Patient/2")
        gone = self.change(store, "Patient/2", body=None, method="DELETE")
        keys = [("Patient", "1"), ("Observation", "1"), ("Patient", "2")]

        found = store.read_each([*keys, *keys, ("Patient", "9")])

        assert found == {key: store.read(*key) for key in keys}
        assert found["Patient", "2"] == gone
        assert store.read_each([]) == {}
