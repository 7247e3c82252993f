import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.search.texts import KEPT, bounded, fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller", "muller"),
        ("JOSÉ", "jose"),
        ("Søren", "SØREN"),
        ("A\u030aSE", "åse"),
        ("Straße", "strasse"),
        ("Anna  Marie\t", "anna marie"),
        ("Łódź", "łodz"),
    ],
)
def test_case_accents_and_runs_of_spaces_do_not_count(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("å", "a"), ("ø", "o"), ("æ", "ae")])
def test_the_danish_letters_are_letters_of_their_own(one: str, other: str) -> None:
    assert fold(one) != fold(other)
    assert fold(one.upper()) == fold(one)


@pytest.mark.parametrize("one", ["Ågård", "Aagaard", "AAGÅRD"])
def test_in_danish_names_aa_is_another_way_to_write_å(one: str) -> None:
    assert fold(one) == "aagaard"


@given(st.text())
def test_a_folded_text_is_its_own_folded_form(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=500), st.text(max_size=500))
def test_texts_of_any_length_keep_their_difference(one: str, other: str) -> None:
    assert (bounded(one) == bounded(other)) == (one == other)
    assert len(bounded(one)) <= KEPT


def test_long_texts_that_differ_at_their_ends_stay_different() -> None:
    assert bounded("x" * 5000 + "a") != bounded("x" * 5000 + "b")
