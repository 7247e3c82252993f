"""The Key Value Store API: keys, page by page."""

import pytest

from fyr.core.testing.client import Client

from .clients import AREA, add


class TestLists:
    @pytest.fixture
    def filled(self, system: Client) -> Client:
        for key in ("b.2", "a", "B", "b", "b.10", "~z"):
            add(system, key)
        return system

    def test_keys_stand_in_the_order_of_their_bytes(self, filled: Client) -> None:
        keys = [one["key"] for one in filled.get(AREA).json]

        assert keys == ["B", "a", "b", "b.10", "b.2", "~z"]

    @pytest.mark.parametrize(
        ("prefix", "keys"),
        [
            ("b", ["b", "b.10", "b.2"]),
            ("b.", ["b.10", "b.2"]),
            ("x", []),
            ("~", ["~z"]),
        ],
    )
    def test_a_prefix(self, filled: Client, prefix: str, keys: list[str]) -> None:
        found = filled.get(AREA, {"prefix": prefix}).json

        assert [one["key"] for one in found] == keys

    def test_a_page_leads_to_the_next_whatever_is_written_between(
        self, filled: Client
    ) -> None:
        first = filled.get(AREA, {"prefix": "b", "limit": "2"})
        link = first.headers["link"].partition(">")[0].removeprefix("<http://localhost")
        add(filled, "b.0")
        second = filled.get(link)

        assert [one["key"] for one in first.json] == ["b", "b.10"]
        assert [one["key"] for one in second.json] == ["b.2"]
        assert "link" not in second.headers

    def test_an_offset(self, filled: Client) -> None:
        found = filled.get(AREA, {"offset": "4", "limit": "5"}).json

        assert [one["key"] for one in found] == ["b.2", "~z"]

    @pytest.mark.parametrize(
        "query",
        [
            *("limit=0", "limit=1001", "limit=x", "limit=2&limit=3", "limit=%D9%A1"),
            *("offset=-1", "offset=99999999999"),
            *("prefix=%C3%A6", "after=a%00", "sort=key"),
        ],
    )
    def test_what_cannot_be_asked_for_is_told(self, filled: Client, query: str) -> None:
        assert filled.get(f"{AREA}?{query}").status == 400

    def test_all_that_cannot_be_asked_for_is_told(self, filled: Client) -> None:
        answer = filled.get(f"{AREA}?limit=x&offset=-1&sort=key")

        assert [one.split()[2] for one in answer.issues] == ["limit", "offset", "sort"]
