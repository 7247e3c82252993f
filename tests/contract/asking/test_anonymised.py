"""Anonymised answers tell no small group, by both indexes."""

from dataclasses import replace

from hypothesis import given, reject
from hypothesis import strategies as st

from fyr.core.errors import Forbidden
from fyr.search.reporting.asking.reading import question

from .filling import SLOWLY, Filled
from .naive import naive, same
from .questions import KNOWN, OUTPUTS, Asking, Values, documents, group_questions


@SLOWLY
@given(held=documents(), asking=group_questions(), least=st.integers(2, 4))
def test_who_gets_anonymised_data_is_told_no_small_group_and_nothing_else(
    filled: Filled, held: list[Values], asking: Asking, least: int
) -> None:
    asking.sent.pop("having", None)
    try:
        question(asking.sent, replace(KNOWN, least=least))
    except Forbidden:
        reject()
    with filled.holding(held):
        found = filled.rows(asking.sent, replace(KNOWN, least=least))
    at = len(asking.sent["groupBy"]) + OUTPUTS.index("patients")
    wanted = {tuple(one[:at]): one for one in naive(asking, held)}

    for row in found:
        assert row[at] >= least
        assert all(map(same, row, wanted[tuple(row[:at])]))
