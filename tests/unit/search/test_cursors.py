import string
from base64 import urlsafe_b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import Gone, Invalid
from fyr.core.testing.clock import FakeClock
from fyr.search.finding.cursors import Cursors

ALPHABET = f"{string.ascii_letters}{string.digits}-_"
CLOCK = FakeClock()
CURSORS = Cursors(b"key", CLOCK, 60)
VALUES = st.lists(
    st.none()
    | st.text()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
)


@given(st.text(), VALUES)
def test_a_cursor_gives_back_what_was_put_in(query: str, values: list[Any]) -> None:
    assert CURSORS.read(query, CURSORS.write(query, values)) == values


@given(st.integers(0, 60), st.integers(1, 63))
def test_a_changed_cursor_is_refused(at: int, further: int) -> None:
    cursor = CURSORS.write("q", [1, "a"])
    other = ALPHABET[(ALPHABET.index(cursor[at]) + further) % 64]

    with pytest.raises(Invalid):
        CURSORS.read("q", cursor[:at] + other + cursor[at + 1 :])


def test_no_two_cursors_are_alike_and_none_shows_its_values() -> None:
    cursors = {CURSORS.write("q", ["0101501234"]) for _ in range(20)}

    assert len(cursors) == 20
    for one in cursors:
        data = urlsafe_b64decode(one + "=" * (-len(one) % 4))
        assert b"0101501234" not in data


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        CURSORS.read("q", text)


def test_a_cursor_is_good_for_its_own_search_only() -> None:
    with pytest.raises(Invalid, match="another search"):
        CURSORS.read("Patient?name=b", CURSORS.write("Patient?name=a", [1]))


def test_a_cursor_of_another_key_is_refused() -> None:
    with pytest.raises(Invalid):
        CURSORS.read("q", Cursors(b"other", CLOCK, 60).write("q", [1]))


def test_a_cursor_whose_time_is_over_is_gone() -> None:
    clock = FakeClock()
    cursors = Cursors(b"key", clock, 60)
    cursor = cursors.write("q", [1])
    clock.advance(seconds=60)
    assert cursors.read("q", cursor) == [1]

    clock.advance(seconds=2)

    with pytest.raises(Gone, match="too old"):
        cursors.read("q", cursor)
