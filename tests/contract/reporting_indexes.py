"""What every reporting index promises."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fyr.core.declarations.projections import Column, Projection
from fyr.search.reporting.port import (
    LONGEST_KEYWORD,
    Document,
    NoSuchGeneration,
    ReportingIndex,
)

COLUMNS = (
    Column("code", "keyword", "", "", many=True),
    Column("value", "number", "", ""),
    Column("at", "date", "", ""),
    Column("done", "boolean", "", ""),
    Column("note", "text", "", ""),
    # A word of SQL's own, and of Elasticsearch's.
    Column("order", "keyword", "", ""),
)
PROJECTIONS = {
    "Observation": Projection("Observation", COLUMNS),
    "Task": Projection("Task", (Column("status", "keyword", "", ""),)),
}
FULL = {
    "lastUpdated": 1_700_000_000_123,
    "patient": "Patient/9",
    "code": ["urn:x|a", "urn:x|b"],
    "value": 36.6,
    "at": -155_555_555_555,
    "done": True,
    "note": "målt på hånden",
    "order": "Å",
}
#: Id, version, and whether it tells of a deletion.
STEPS = st.tuples(st.sampled_from("abc"), st.integers(1, 5), st.booleans())


def observation(id: str, version: int = 1, **values: object) -> Document:
    return Document("Observation", id, version, {"lastUpdated": 0, **values})


def gone(id: str, version: int) -> Document:
    return Document("Observation", id, version, None)


class ReportingIndexContract:
    """What every reporting index promises; a subclass gives ``index`` and ``seen``."""

    @pytest.fixture
    def index(self) -> Iterator[ReportingIndex]:
        raise NotImplementedError

    def seen(self, index: ReportingIndex) -> dict[str, dict[str, object]]:
        """What readers see of Observations, by id, lists sorted."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def generation(self, index: ReportingIndex) -> None:
        index.create(1, PROJECTIONS)

    def versions(self, index: ReportingIndex, generation: int = 1) -> dict[str, int]:
        index.refresh()
        return dict(index.versions(generation, "Observation"))

    def test_what_is_put_is_seen_as_it_was_put(self, index: ReportingIndex) -> None:
        refused = index.put(1, [observation("a", 7, **FULL), observation("b")])
        index.show(1)
        index.refresh()

        assert refused == []
        assert self.seen(index) == {
            "a": {"id": "a", "version": 7, **FULL},
            "b": {"id": "b", "version": 1, "lastUpdated": 0},
        }

    def test_what_comes_late_changes_nothing(self, index: ReportingIndex) -> None:
        index.put(1, [observation("a", 3, value=3.0)])

        refused = index.put(1, [observation("a", 2, value=2.0)])

        index.show(1)
        index.refresh()
        assert refused == []
        assert self.seen(index)["a"]["value"] == 3.0

    def test_what_comes_again_changes_nothing(self, index: ReportingIndex) -> None:
        for _ in range(3):
            assert index.put(1, [observation("a", 3, code=["x", "y"])]) == []

        index.show(1)
        index.refresh()
        assert self.seen(index) == {
            "a": {"id": "a", "version": 3, "lastUpdated": 0, "code": ["x", "y"]}
        }

    def test_a_newer_version_takes_the_place_of_all_values(
        self, index: ReportingIndex
    ) -> None:
        index.put(1, [observation("a", 1, **FULL)])
        index.put(1, [observation("a", 2, code=["urn:x|c"], note="andet")])

        index.show(1)
        index.refresh()
        assert self.seen(index)["a"] == {
            "id": "a",
            "version": 2,
            "lastUpdated": 0,
            "code": ["urn:x|c"],
            "note": "andet",
        }

    def test_the_newest_of_one_batch_stays_whatever_their_order(
        self, index: ReportingIndex
    ) -> None:
        index.put(1, [observation("a", 2), observation("a", 3), observation("a", 1)])

        assert self.versions(index) == {"a": 3}

    def test_a_deleted_resource_leaves(self, index: ReportingIndex) -> None:
        index.put(1, [observation("a", 1, **FULL), observation("b", 1)])
        index.put(1, [gone("a", 2)])

        index.show(1)
        index.refresh()
        assert self.versions(index) == {"b": 1}
        assert index.counts(1) == {"Observation": 1, "Task": 0}
        assert set(self.seen(index)) == {"b"}

    def test_nothing_late_brings_a_deleted_resource_back(
        self, index: ReportingIndex
    ) -> None:
        index.put(1, [gone("a", 2)])
        index.put(1, [observation("a", 1)])

        assert self.versions(index) == {}

    def test_a_resource_that_is_written_again_is_back(
        self, index: ReportingIndex
    ) -> None:
        index.put(1, [observation("a", 1), gone("a", 2), observation("a", 3)])

        assert self.versions(index) == {"a": 3}

    def test_one_id_in_two_types_is_two_documents(self, index: ReportingIndex) -> None:
        task = Document("Task", "a", 5, {"lastUpdated": 0, "status": "ready"})
        index.put(1, [observation("a", 1), task])

        assert self.versions(index) == {"a": 1}
        assert list(index.versions(1, "Task")) == [("a", 5)]

    @pytest.mark.parametrize(
        "values",
        [
            {"unknown": "x"},
            {"value": "high"},
            {"done": 1},
            {"order": "x" * (LONGEST_KEYWORD + 1)},
        ],
        ids=lambda values: next(iter(values)),
    )
    def test_a_document_that_cannot_be_kept_is_refused_and_stops_no_other(
        self, index: ReportingIndex, values: dict[str, object]
    ) -> None:
        bad = observation("bad", 4, **values)

        refused = index.put(1, [observation("a"), bad, observation("b")])

        assert [(one.type, one.id, one.version) for one in refused] == [
            ("Observation", "bad", 4)
        ]
        assert refused[0].reason
        assert self.versions(index) == {"a": 1, "b": 1}

    @pytest.mark.parametrize(
        "values",
        [
            {"value": "secret"},
            {"done": "secret"},
            {"order": "secret" * LONGEST_KEYWORD},
        ],
        ids=lambda values: next(iter(values)),
    )
    def test_a_refusal_repeats_no_value(
        self, index: ReportingIndex, values: dict[str, object]
    ) -> None:
        (refusal,) = index.put(1, [observation("a", **values)])

        assert "secret" not in str(refusal)
        assert "115, 101, 99" not in str(refusal)

    def test_the_longest_keyword_is_taken(self, index: ReportingIndex) -> None:
        refused = index.put(1, [observation("a", order="x" * LONGEST_KEYWORD)])

        assert refused == []

    def test_a_generation_is_complete_in_itself(self, index: ReportingIndex) -> None:
        index.create(2, PROJECTIONS)
        index.put(1, [observation("a", 1)])
        index.put(2, [observation("b", 1)])

        assert self.versions(index, 1) == {"a": 1}
        assert self.versions(index, 2) == {"b": 1}
        assert index.generations() == [1, 2]

    def test_making_a_generation_again_leaves_it_as_it_is(
        self, index: ReportingIndex
    ) -> None:
        index.put(1, [observation("a", 1)])

        index.create(1, PROJECTIONS)

        assert self.versions(index) == {"a": 1}

    def test_readers_see_the_generation_that_is_shown(
        self, index: ReportingIndex
    ) -> None:
        index.create(2, PROJECTIONS)
        index.put(1, [observation("a")])
        index.put(2, [observation("b")])
        index.refresh()

        assert index.shown() is None
        for number, found in ((1, {"a"}), (2, {"b"}), (2, {"b"}), (1, {"a"})):
            index.show(number)
            assert (index.shown(), set(self.seen(index))) == (number, found)

    def test_a_generation_that_is_dropped_is_gone(self, index: ReportingIndex) -> None:
        index.create(2, PROJECTIONS)
        index.show(2)

        index.drop(1)
        index.drop(1)

        assert (index.generations(), index.shown()) == ([2], 2)
        for ask in (
            lambda: index.put(1, [observation("a")]),
            lambda: index.show(1),
            lambda: index.counts(1),
            lambda: list(index.versions(1, "Observation")),
        ):
            with pytest.raises(NoSuchGeneration):
                ask()
        assert index.generations() == [2]

    def test_the_shown_generation_may_be_dropped_too(
        self, index: ReportingIndex
    ) -> None:
        index.show(1)
        index.drop(1)

        assert (index.generations(), index.shown()) == ([], None)

    def test_another_projection_makes_another_generation(
        self, index: ReportingIndex
    ) -> None:
        other = Projection("Observation", (Column("value", "keyword", "", ""),))
        index.create(2, {"Observation": other})
        document = observation("a", value="high")

        assert [one.id for one in index.put(1, [document])] == ["a"]
        assert index.put(2, [document]) == []

    def test_versions_are_told_in_the_order_of_ids_page_by_page(
        self, index: ReportingIndex, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in ("embedded", "elasticsearch"):
            monkeypatch.setattr(f"fyr.search.reporting.{module}._PAGE", 3)
        ids = ["a", "A", "1", "10", "2", "a-1", "a.1", "Z", "b"]
        index.put(1, [observation(id, n + 1) for n, id in enumerate(ids)])
        index.refresh()

        told = list(index.versions(1, "Observation"))

        assert told == sorted((id, n + 1) for n, id in enumerate(ids))

    def test_it_is_well(self, index: ReportingIndex) -> None:
        assert index.health() == ""

    def test_the_highest_version_decides_however_often_and_in_whatever_order_they_come(
        self, index: ReportingIndex
    ) -> None:
        @settings(max_examples=25, deadline=None)
        @given(st.lists(st.lists(STEPS, max_size=6), max_size=5))
        def holds(batches: Sequence[Sequence[tuple[str, int, bool]]]) -> None:
            index.drop(3)
            index.create(3, {"Observation": PROJECTIONS["Observation"]})
            # What a version is, is told in one way, however often.
            deleted: dict[tuple[str, int], bool] = {}
            highest: dict[str, int] = {}
            for batch in batches:
                documents = []
                for id, version, is_gone in batch:
                    told = deleted.setdefault((id, version), is_gone)
                    made = gone(id, version) if told else observation(id, version)
                    documents.append(made)
                    highest[id] = max(version, highest.get(id, 0))
                assert index.put(3, documents) == []

            assert self.versions(index, 3) == {
                id: at for id, at in highest.items() if not deleted[id, at]
            }

        holds()
