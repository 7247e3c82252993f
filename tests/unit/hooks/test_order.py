"""Who is asked first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors.plugins import PluginError
from fyr.core.hooks.markers import Order
from fyr.core.hooks.order import arranged

NAMES = "abcdefgh"


def test_without_wishes_the_alphabet_decides() -> None:
    assert arranged("stored", {"b": Order(), "a": Order(), "c": Order()}) == [
        "a",
        "b",
        "c",
    ]


def test_a_plugin_stands_after_the_one_that_it_names() -> None:
    orders = {"a": Order(after=("c",)), "b": Order(), "c": Order()}

    assert arranged("stored", orders) == ["b", "c", "a"]


def test_a_plugin_stands_before_the_one_that_it_names() -> None:
    orders = {"a": Order(), "b": Order(), "c": Order(before=("a",))}

    assert arranged("stored", orders) == ["b", "c", "a"]


def test_phases_come_before_names() -> None:
    orders = {"a": Order(phase="late"), "b": Order(), "c": Order(phase="early")}

    assert arranged("stored", orders) == ["c", "b", "a"]


def test_a_plugin_that_does_not_take_part_is_passed_over() -> None:
    assert arranged("stored", {"a": Order(after=("absent",))}) == ["a"]


def test_a_cycle_is_refused_and_told_with_its_members() -> None:
    orders = {
        "a": Order(before=("b",)),
        "b": Order(before=("c",)),
        "c": Order(before=("a",)),
    }

    with pytest.raises(
        PluginError, match="stored: plugins wait for each other"
    ) as told:
        arranged("stored", orders)

    assert all(f"{name} before" in str(told.value) for name in "abc")


def test_a_plugin_that_waits_for_itself_is_refused() -> None:
    with pytest.raises(PluginError, match="a before a"):
        arranged("stored", {"a": Order(after=("a",))})


def test_a_name_that_goes_against_the_phases_is_refused() -> None:
    orders = {"a": Order(phase="late", before=("b",)), "b": Order()}

    with pytest.raises(PluginError, match="a is to be asked before b"):
        arranged("stored", orders)


def test_an_unknown_phase_is_refused() -> None:
    with pytest.raises(PluginError, match="no such phase: 'middle'"):
        arranged("stored", {"a": Order(phase="middle")})  # type: ignore[arg-type]


@given(
    st.sets(st.sampled_from(NAMES)),
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES))),
    st.randoms(use_true_random=False),
)
def test_every_wish_that_can_be_kept_is_kept_whatever_the_order_of_loading(
    members, wishes, random
) -> None:
    wishes = [(one, other) for one, other in wishes if one < other]
    orders = {
        name: Order(after=tuple(first for first, later in wishes if later == name))
        for name in members
    }
    shuffled = list(orders.items())
    random.shuffle(shuffled)

    found = arranged("stored", dict(shuffled))

    assert found == arranged("stored", orders)
    assert set(found) == members
    places = {name: place for place, name in enumerate(found)}
    for first, later in wishes:
        if first in members and later in members:
            assert places[first] < places[later]
