"""Both reporting indexes keep the contract; what is special about each."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fyr.core.errors import FyrError, TookTooLong, Unavailable
from fyr.core.testing.elasticsearch import ElasticsearchServer
from fyr.search.reporting.elasticsearch import ElasticsearchIndex
from fyr.search.reporting.embedded import EmbeddedIndex

from .reporting_indexes import FULL, PROJECTIONS, ReportingIndexContract, observation


class TestEmbedded(ReportingIndexContract):
    @pytest.fixture
    def index(self, tmp_path: Path) -> Iterator[EmbeddedIndex]:
        opened = EmbeddedIndex(tmp_path / "reporting.db")
        yield opened
        opened.close()

    def seen(self, index: EmbeddedIndex) -> dict[str, dict[str, object]]:
        def work(session):
            names = [row[1] for row in session.rows('PRAGMA table_info("Observation")')]
            rows = session.rows('SELECT * FROM "Observation"')
            codes = session.rows(
                'SELECT doc, value FROM "Observation.code" ORDER BY value'
            )
            notes = dict(session.rows('SELECT doc, value FROM "Observation.note"'))
            return names, rows, codes, notes

        names, rows, codes, notes = index.database.read(work)
        found = {}
        for row in rows:
            one = dict(zip(names, row, strict=True))
            doc = one.pop("doc")
            if one["done"] is not None:
                one["done"] = bool(one["done"])
            one["code"] = [value for at, value in codes if at == doc] or None
            one["note"] = notes.get(doc)
            found[one["id"]] = {k: v for k, v in one.items() if v is not None}
        return found

    def test_words_are_found_with_all_letters_of_danish(
        self, index: EmbeddedIndex
    ) -> None:
        index.put(1, [observation("a", note="målt på hånden"), observation("b")])
        index.show(1)

        sql = (
            'SELECT id FROM "Observation" WHERE doc IN'
            ' (SELECT doc FROM "Observation.note" WHERE value MATCH ?)'
        )
        assert index.rows(sql, ('"hånden"',)) == [("a",)]
        assert index.rows(sql, ('"handen"',)) == []

    def test_what_was_put_is_there_after_a_restart(
        self, index: EmbeddedIndex, tmp_path: Path
    ) -> None:
        index.put(1, [observation("a", 2)])
        index.show(1)

        again = EmbeddedIndex(tmp_path / "reporting.db")
        try:
            assert (again.shown(), dict(again.versions(1, "Observation"))) == (
                1,
                {"a": 2},
            )
        finally:
            again.close()

    def test_a_question_that_takes_too_long_is_ended(
        self, index: EmbeddedIndex
    ) -> None:
        endless = (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
            " SELECT COUNT(*) FROM n"
        )
        with pytest.raises(TookTooLong):
            index.rows(endless, seconds=0.05)


class TestElasticsearch(ReportingIndexContract):
    @pytest.fixture
    def index(self, elasticsearch: ElasticsearchServer) -> Iterator[ElasticsearchIndex]:
        prefix = elasticsearch.new_prefix()
        opened = ElasticsearchIndex(elasticsearch.url, prefix=prefix, replicas=0)
        yield opened
        for number in opened.generations():
            opened.drop(number)
        opened.close()

    def seen(self, index: ElasticsearchIndex) -> dict[str, dict[str, object]]:
        found = index.search("Observation", {"query": {"match_all": {}}, "size": 100})
        hits = [hit["_source"] for hit in found["hits"]["hits"]]
        return {one["id"]: one for one in hits}

    def test_words_are_found_with_all_letters_of_danish(
        self, index: ElasticsearchIndex
    ) -> None:
        index.put(1, [observation("a", note="målt på hånden"), observation("b")])
        index.show(1)
        index.refresh()

        def found(word: str) -> list[str]:
            answer = index.search("Observation", {"query": {"match": {"note": word}}})
            return [hit["_id"] for hit in answer["hits"]["hits"]]

        assert (found("hånden"), found("handen")) == (["a"], [])

    def test_the_mapping_is_what_the_projection_says(
        self, index: ElasticsearchIndex
    ) -> None:
        name = f"{index.alias('Observation')}-000001"
        mapping = index.client.indices.get_mapping(index=name)[name]["mappings"]

        assert mapping["dynamic"] == "strict"
        assert {name: one["type"] for name, one in mapping["properties"].items()} == {
            "id": "keyword",
            "version": "long",
            "lastUpdated": "date",
            "patient": "keyword",
            "deleted": "boolean",
            "code": "keyword",
            "value": "double",
            "at": "date",
            "done": "boolean",
            "note": "text",
            "order": "keyword",
        }

    def test_indices_of_others_are_left_alone(
        self, index: ElasticsearchIndex, elasticsearch: ElasticsearchServer
    ) -> None:
        name = f"{elasticsearch.new_prefix()}-notes"
        other = f"{index.alias('Observation')}-notes"
        index.client.indices.create(index=name)
        index.client.indices.create(index=other)
        try:
            index.drop(1)

            assert index.generations() == []
            assert index.client.indices.exists(index=name)
            assert index.client.indices.exists(index=other)
        finally:
            index.client.indices.delete(index=[name, other])

    def test_a_batch_of_many_bytes_is_sent_in_parts(
        self, index: ElasticsearchIndex, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("fyr.search.reporting.elasticsearch._BULK_BYTES", 300)
        documents = [observation(str(n), unknown=1) for n in range(20)]

        refused = index.put(1, [*documents, observation("good")])

        assert [one.id for one in refused] == [str(n) for n in range(20)]
        assert self.versions(index) == {"good": 1}

    def test_a_question_that_it_does_not_understand_is_no_outage(
        self, index: ElasticsearchIndex
    ) -> None:
        index.show(1)

        with pytest.raises(FyrError, match="refuses a request") as told:
            index.search("Observation", {"query": {"nonsense": {}}})
        assert not isinstance(told.value, Unavailable)

    def test_a_server_that_is_not_there_is_told_as_that(self) -> None:
        index = ElasticsearchIndex("http://127.0.0.1:9")
        for ask in (
            lambda: index.put(1, [observation("a")]),
            lambda: index.create(1, PROJECTIONS),
            index.refresh,
            index.shown,
            index.generations,
            lambda: list(index.versions(1, "Observation")),
            lambda: index.search("Observation", {}),
        ):
            with pytest.raises(Unavailable, match="Elasticsearch cannot be reached"):
                ask()
        assert index.health().startswith("Elasticsearch cannot be reached")
        index.close()

    def test_values_are_sent_as_elasticsearch_keeps_them(
        self, index: ElasticsearchIndex
    ) -> None:
        index.put(1, [observation("a", 7, **FULL)])
        index.show(1)
        index.refresh()

        answer = index.search(
            "Observation", {"sort": ["at"], "docvalue_fields": ["at"]}
        )

        (hit,) = answer["hits"]["hits"]
        assert json.dumps(hit["sort"]) == f"[{FULL['at']}]"
