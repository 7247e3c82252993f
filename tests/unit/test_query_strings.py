"""Query strings as WSGI hands them on: bytes told as Latin-1."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import Invalid
from fyr.core.query_strings import pairs


def test_names_and_values_keep_their_order_and_repeat() -> None:
    assert pairs("b=1&a=2&b=3") == (("b", "1"), ("a", "2"), ("b", "3"))


def test_a_parameter_without_a_value_is_kept() -> None:
    assert pairs("name&_count=") == (("name", ""), ("_count", ""))


def test_plus_is_a_space_and_percent_is_unfolded() -> None:
    assert pairs("name=Anna+Lise&family=%C3%85") == (
        ("name", "Anna Lise"),
        ("family", "Å"),
    )


def test_raw_utf_8_is_understood() -> None:
    assert pairs("name=Åse".encode().decode("latin-1")) == (("name", "Åse"),)


@pytest.mark.parametrize(
    "text", ["name=%", "name=%zz", "name=%C3", "a=%ff", "n=\xc3", "a=%00"]
)
def test_what_is_not_percent_encoded_utf_8_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        pairs(text)


def test_a_flood_of_parameters_is_refused() -> None:
    with pytest.raises(Invalid, match="more than"):
        pairs("&".join(["a=1"] * 2001))


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=20))
def test_what_was_encoded_comes_back(sent: list[tuple[str, str]]) -> None:
    clean = [
        (name, value)
        for name, value in sent
        if "\0" not in name + value
        and (name + value).encode("utf-8", "ignore").decode() == name + value
    ]

    assert pairs(urlencode(clean)) == tuple(clean)
