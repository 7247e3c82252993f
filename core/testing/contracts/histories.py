"""What the histories of the resource store promise; a part of ``contracts.resources``."""

from typing import Any

import pytest

from fyr.core.store.port import Stored
from fyr.core.store.resources import ResourceStore
from fyr.core.testing.contracts.storing import StoringContract, version


class HistoryContract(StoringContract):
    """Tests to inherit."""

    def test_history_is_of_one_of_a_type_or_of_all_newest_first(
        self, store: ResourceStore
    ) -> None:
        self.put(store, version("Patient/1"), version("Patient/2"), version("Group/1"))
        self.change(store, "Patient/1")
        self.change(store, "Patient/1", body=None, method="DELETE")

        def told(**asked: Any) -> list[str]:
            found = store.history(count=9, **asked)
            return [f"{one.type}/{one.id}/{one.version}" for one in found]

        assert told(type="Patient", id="1") == [f"Patient/1/{n}" for n in (3, 2, 1)]
        everything = told()
        assert everything[:2] == ["Patient/1/3", "Patient/1/2"]
        assert sorted(everything[2:]) == ["Group/1/1", "Patient/1/1", "Patient/2/1"]
        assert told(type="Patient") == [
            one for one in everything if one.startswith("Patient")
        ]
        assert told(type="Device") == told(type="Patient", id="3") == []

    def test_history_joins_newest_and_superseded_versions_by_their_time(
        self, store: ResourceStore
    ) -> None:
        for reference, updated in [
            ("Patient/1", 1000),
            ("Patient/2", 2000),
            ("Patient/1", 3000),
            ("Group/1", 4000),
            ("Patient/2", 5000),
            ("Patient/1", 6000),
        ]:
            self.change(store, reference, updated=updated)

        def told(**asked: Any) -> list[str]:
            found = store.history(**{"count": 9, **asked})
            return [f"{one.type}/{one.id}/{one.version}" for one in found]

        assert told() == [
            "Patient/1/3",
            "Patient/2/2",
            "Group/1/1",
            "Patient/1/2",
            "Patient/2/1",
            "Patient/1/1",
        ]
        assert told(type="Patient", since=2000) == [
            "Patient/1/3",
            "Patient/2/2",
            "Patient/1/2",
            "Patient/2/1",
        ]
        assert told(at=(2500, 4500)) == [
            "Group/1/1",
            "Patient/1/2",
            "Patient/2/1",
            "Patient/1/1",
        ]
        assert told(count=2) == told()[:2]

    def test_history_may_begin_at_a_moment_or_be_of_one(
        self, store: ResourceStore
    ) -> None:
        for _ in range(4):
            self.change(store, "Patient/1")

        def numbers(**asked: Any) -> list[int]:
            return [one.version for one in store.history(count=9, **asked)]

        assert numbers(since=3000) == [4, 3]
        assert numbers(since=3001) == [4]
        assert numbers(at=(2500, 2600)) == [2]
        assert numbers(at=(2500, 3000), type="Patient", id="1") == [3, 2]
        assert numbers(at=(3000, 3999), type="Patient") == [3]
        assert numbers(at=(0, 999)) == []
        assert numbers(at=(9000, 9999)) == [4]

    @pytest.mark.parametrize("count", [1, 2, 3, 7, 50])
    @pytest.mark.parametrize(
        "asked", [{}, {"type": "Patient"}, {"type": "Patient", "id": "1"}]
    )
    def test_pages_of_history_repeat_and_skip_nothing_while_others_write(
        self, store: ResourceStore, count: int, asked: dict[str, Any]
    ) -> None:
        # All at the same moment, as in a transaction.
        new = [
            version(f"{kind}/{n}") for kind in ("Group", "Patient") for n in range(5)
        ]
        self.put(store, *new)
        for _ in range(6):
            self.change(store, "Patient/1", updated=1000)
        expected = store.history(count=100, **asked)

        found: list[Stored] = []
        while page := store.history(
            count=count,
            before=(found[-1].updated, found[-1].pid, found[-1].version)
            if found
            else None,
            **asked,
        ):
            found += page
            self.change(store, "Patient/1", updated=5000)

        assert found == expected
