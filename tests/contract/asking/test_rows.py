"""Both indexes page through rows as a naive reading of ``docs/reporting.md`` does."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import Gone, Invalid, Unavailable
from fyr.search.reporting.asking.knowing import Bounds

from .filling import SLOWLY, Filled
from .naive import measured, naive_rows
from .questions import COUNTED, KNOWN, Asking, Values, documents, row_questions


@SLOWLY
@given(held=documents(), askings=st.lists(row_questions(), min_size=1, max_size=4))
def test_pages_of_rows_are_those_of_a_naive_reading(
    filled: Filled, held: list[Values], askings: list[Asking]
) -> None:
    with filled.holding(held):
        for asking in askings:
            assert filled.rows(asking.sent) == naive_rows(asking, held), asking.sent


def test_a_page_is_followed_only_by_whom_it_was_given(filled: Filled) -> None:
    sent = {"from": "Observation", "groupBy": [{"terms": "value"}], "count": 1}
    with filled.holding([measured(n, value=float(n)) for n in range(3)]):
        told = filled.answer(sent).next
        with pytest.raises(Invalid):
            filled.answer({**sent, "page": told}, identity="somebody else")


def test_rows_that_come_later_are_on_no_page_twice(filled: Filled) -> None:
    sent = {"from": "Observation", "select": ["id"], "count": 2}
    with filled.holding([measured(n) for n in range(10, 16)]) as put:
        first = filled.answer(sent)
        put([measured(9), measured(16)])
        found = [*first.rows]
        while first.next:
            first = filled.answer({**sent, "page": first.next})
            found += first.rows

    ids = [one for (one,) in found]
    assert ids == sorted(set(ids))
    assert {f"o{n}" for n in range(10, 16)} <= set(ids)


def test_the_largest_page_is_given_and_followed(filled: Filled) -> None:
    sent = {"from": "Observation", "select": ["id"], "count": KNOWN.bounds.page}
    number = KNOWN.bounds.page + 1
    with filled.holding([measured(n) for n in range(number)]):
        found = filled.rows(sent)
        larger = replace(KNOWN, bounds=Bounds(page=2 * number))
        at_once = filled.rows({**sent, "count": number}, larger)

    assert [one for (one,) in found] == sorted(f"o{n}" for n in range(number))
    assert at_once == found


def test_a_page_of_an_index_that_is_gone_is_told_to_be_so(filled: Filled) -> None:
    sent = {"from": "Observation", "select": ["id"], "count": 2}
    with filled.holding([measured(n) for n in range(5)]):
        told = filled.answer(sent).next
    for gone in ({**sent, "page": told}, sent, {"from": "Observation", **COUNTED}):
        with pytest.raises((Gone, Unavailable)):
            filled.answer(gone)
