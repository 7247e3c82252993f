"""Searches for numbers find what a look at each resource finds."""

from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from .looks import (
    NUMBER,
    NUMBERS,
    PREFIXES,
    SETTINGS,
    Criterion,
    Resource,
    check,
    compare,
)


@st.composite
def numbers(draw: st.DrawFn) -> Criterion:
    prefix, digits = draw(st.sampled_from(PREFIXES)), draw(st.sampled_from(NUMBERS))

    def test(resource: Resource) -> bool:
        found = []
        for one in resource["prediction"]:
            if "probabilityDecimal" in one:
                exact = Fraction(one["probabilityDecimal"].digits)
                found.append((exact, exact))
            else:
                ends = one["probabilityRange"]
                found.append(
                    tuple(
                        Fraction(ends[name]["value"].digits) if name in ends else None
                        for name in ("low", "high")
                    )
                )
        return any(
            compare(prefix, digits, low, high, Fraction(1)) for low, high in found
        )

    return "probability", prefix + digits, test


END = st.fixed_dictionaries({"value": NUMBER})
PREDICTIONS = st.fixed_dictionaries({"probabilityDecimal": NUMBER}) | st.builds(
    lambda ends: {"probabilityRange": ends},
    st.fixed_dictionaries({}, optional={"low": END, "high": END}).filter(
        lambda ends: len(ends) < 2 or ends["low"]["value"] <= ends["high"]["value"]
    ),
)


@SETTINGS
@given(
    st.lists(
        st.fixed_dictionaries({"prediction": st.lists(PREDICTIONS, max_size=2)}),
        max_size=6,
    ),
    st.lists(st.lists(numbers(), min_size=1, max_size=2), min_size=1, max_size=6),
)
def test_numbers_are_found_as_a_look_at_each_finds_them(
    library: Any, contents: list[Resource], queries: list[list[Criterion]]
) -> None:
    check(library, "RiskAssessment", contents, queries)
