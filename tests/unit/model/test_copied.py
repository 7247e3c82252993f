"""Copies of parsed JSON."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fyr.core.model import json
from fyr.core.model.resource import copied

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda some: st.lists(some) | st.dictionaries(st.text(), some),
)


def emptied(value: Any) -> None:
    """Take everything out of everything."""
    if isinstance(value, dict | list):
        for one in list(value.values() if isinstance(value, dict) else value):
            emptied(one)
        value.clear()


@given(VALUES)
def test_a_copy_is_the_same_and_what_becomes_of_it_changes_nothing(value: Any) -> None:
    before = repr(value)
    made = copied(value)

    assert repr(made) == before
    emptied(made)
    assert repr(value) == before


def test_a_decimal_keeps_its_digits() -> None:
    text = b'{"resourceType":"Observation","valueQuantity":{"value":1.500}}'

    assert json.dump(copied(json.own(text))) == text
