"""Both indexes answer questions about groups as a naive reading of ``docs/reporting.md`` does."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.search.reporting.asking.knowing import Bounds
from fyr.search.reporting.asking.limits import TooCostly

from .filling import SLOWLY, Filled
from .naive import measured, naive, percentile, same
from .questions import KNOWN, Asking, Values, documents, group_questions


@SLOWLY
@given(held=documents(), askings=st.lists(group_questions(), min_size=1, max_size=8))
def test_groups_are_those_of_a_naive_reading(
    filled: Filled, held: list[Values], askings: list[Asking]
) -> None:
    with filled.holding(held):
        for asking in askings:
            found, wanted = filled.rows(asking.sent), naive(asking, held)

            assert len(found) == len(wanted), asking.sent
            for one, other in zip(found, wanted, strict=True):
                assert all(map(same, one, other)), (asking.sent, one, other)


def test_more_groups_than_allowed_are_refused_and_as_many_are_not(
    filled: Filled,
) -> None:
    held = [measured(n, value=float(n)) for n in range(50)]
    sent = {"from": "Observation", "groupBy": [{"terms": "value"}], "count": 10}
    with filled.holding(held):
        assert len(filled.rows(sent, replace(KNOWN, bounds=Bounds(groups=50)))) == 50
        with pytest.raises(TooCostly, match="more than 49 groups"):
            filled.rows(sent, replace(KNOWN, bounds=Bounds(groups=49)))


@pytest.mark.parametrize(("number", "exact"), [(15_000, True), (40_000, False)])
def test_percentiles_of_many_values_are_as_close_as_promised(
    filled: Filled, number: int, exact: bool
) -> None:
    """Exact up to 20,000 values; beyond, within a quarter of a percent of the ranks."""
    values = [math.sin(n) ** 3 * 1000 for n in range(number)]
    percents = [1, 25, 50, 90, 99]
    sent = {
        "from": "Observation",
        "metrics": {"p": {"percentiles": "value", "percents": percents}},
    }
    with filled.holding([measured(n, value=one) for n, one in enumerate(values)]):
        (found,) = filled.rows(sent)

    for told, percent in zip(found, percents, strict=True):
        if exact:
            assert same(told, percentile(values, percent))
        else:
            low, high = (percentile(values, percent + off) for off in (-0.25, 0.25))
            assert low <= told <= high


def test_many_different_values_are_counted_as_closely_as_promised(
    filled: Filled,
) -> None:
    """Exact, or within 1 percent where it is told to be approximate."""
    held = [measured(n, patient=f"Patient/{n % 20_000}") for n in range(25_000)]
    sent = {"from": "Observation", "metrics": {"p": {"distinct": "patient"}}}
    with filled.holding(held):
        answer = filled.answer(sent)

    ((found,),) = answer.rows
    assert abs(found - 20_000) <= (200 if answer.columns[0].approximate else 0)
