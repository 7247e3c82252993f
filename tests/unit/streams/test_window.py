"""The window: what of a stream is in memory."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from fyr.core.streams import StreamItem
from fyr.core.streams.window import Window

#: for each step: positions that it moves on, and the items of each of them
steps = st.lists(
    st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=12
)


def filled(lives: list[list[int]], most: int) -> tuple[Window, list[StreamItem]]:
    window, position, all_ = Window(10, most=most), 10, []
    for life in lives:
        items = []
        for count in life:
            position += 1
            items += [StreamItem(position, "t", f"{n}") for n in range(count)]
        window.add(position, items)
        all_ += items
    return window, all_


@given(steps, st.integers(1, 9), st.integers(5, 60))
def test_what_follows_a_number_is_told_whole_or_not_at_all(
    lives: list[list[int]], most: int, number: int
) -> None:
    window, all_ = filled(lives, most)
    found = window.after(number)

    if found is None:
        assert number < window.since
    else:
        assert found == [item for item in all_ if item.number > number]


@given(steps, st.integers(1, 9))
def test_no_more_is_kept_than_is_allowed(lives: list[list[int]], most: int) -> None:
    window, all_ = filled(lives, most)

    assert len(window.after(window.since) or ()) <= most
    assert window.position == 10 + sum(map(len, lives))
    assert len(all_) <= most or window.since > 10


def test_long_items_count_by_their_length() -> None:
    window = Window(characters=100)
    for number in range(1, 20):
        window.add(number, [StreamItem(number, "t", "x" * 30)])

    assert [item.number for item in window.after(16) or ()] == [17, 18, 19]
    assert window.after(15) is None


def test_who_waits_is_woken_by_what_comes_and_by_the_end() -> None:
    async def scenario() -> list[bool]:
        window = Window(5)
        told = [await window.wait(5, 0.0)]
        waiting = asyncio.ensure_future(window.wait(5, 60))
        await asyncio.sleep(0)
        window.add(6, [])
        told += [await waiting, await window.wait(5, 60)]
        waiting = asyncio.ensure_future(window.wait(6, 60))
        await asyncio.sleep(0)
        window.close()
        return [*told, await waiting, await window.wait(6, 60)]

    assert asyncio.run(scenario()) == [False, True, True, True, True]
