"""The language of ``_filter``: https://hl7.org/fhir/R4/search_filter.html."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import Invalid, NotSupported
from fyr.search.understanding.filters import (
    DEEPEST,
    MOST_COMPARISONS,
    OPERATORS,
    Comparison,
    Expression,
    Joined,
    Negation,
    Step,
    Value,
    names,
    parse,
    written,
)

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
STRINGS = st.text(CHARACTERS, max_size=12).map(lambda text: Value(text, quoted=True))
WORDS = st.from_regex(r'[^\s)\]"][^\s)\]]{0,12}', fullmatch=True)
VALUES = STRINGS | WORDS.filter(lambda one: "\0" not in one).map(Value)


def comparisons(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    plain = NAMES.map(Step)
    step = plain | st.builds(Step, NAMES, inner)
    path = st.builds(
        lambda steps, last: (*steps, last), st.lists(step, max_size=2), plain
    )
    return st.builds(Comparison, path, st.sampled_from(sorted(OPERATORS)), VALUES)


def larger(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
    joined = st.builds(Joined, st.sampled_from(["and", "or"]), parts)
    return joined | st.builds(Negation, inner) | comparisons(inner)


EXPRESSIONS = st.recursive(comparisons(st.nothing()), larger, max_leaves=8)


@given(EXPRESSIONS)
def test_what_is_written_is_read_again(expression: Expression) -> None:
    assert parse(written(expression)) == expression


@given(st.text(max_size=40) | st.text('()[]. "andortqe1', max_size=40))
def test_any_text_is_a_filter_or_an_error(text: str) -> None:
    with suppress(Invalid, NotSupported):
        assert parse(written(parse(text))) == parse(text)


def shown(text: str) -> str:
    return written(parse(text))


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("a eq 1 and b eq 2 or c eq 3", "(a eq 1 and b eq 2) or c eq 3"),
        ("a eq 1 or b eq 2 and c eq 3", "(a eq 1 or b eq 2) and c eq 3"),
        ("a eq 1 and (b eq 2 or c eq 3)", "a eq 1 and (b eq 2 or c eq 3)"),
        ("a eq 1 and b eq 2 and c eq 3", "a eq 1 and b eq 2 and c eq 3"),
        ("not(a eq 1)or(b eq 2)", "not (a eq 1) or b eq 2"),
        ("  ( (a  eq\t1) )  ", "a eq 1"),
        ('name co "a ) and \\"b"', 'name co "a ) and \\"b"'),
        ("code eq http://loinc.org|1234-5", "code eq http://loinc.org|1234-5"),
        ("subject.name co pet", "subject.name co pet"),
        (
            'related[type eq "has-component"].target pr false',
            'related[type eq "has-component"].target pr false',
        ),
        ("nothing eq 1", "nothing eq 1"),
    ],
)
def test_words_bind_from_left_to_right(text: str, means: str) -> None:
    assert shown(text) == means


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a parameter is expected, at its end"),
        ("name", "an operator such as 'eq' is expected"),
        ("name eq", "a space and a value are expected"),
        ('name eq"x"', "a space and a value are expected"),
        ("name eq x)", "'and', 'or' or the end is expected"),
        ("(name eq x", "'\\)' is expected"),
        ("name eq x and", "a parameter is expected"),
        ("name eq x name eq y", "'and', 'or' or the end"),
        ("subject[name eq x] eq y", "'.' and a parameter are expected"),
        ("subject[name eq x.name eq y", "']' is expected"),
        ('name eq "x', "a JSON string is expected"),
        ('name eq "\\u0000"', "no character"),
        ('name eq "\\ud800"', "no character"),
        ("1 eq 1", "a parameter is expected, at '1 eq 1' .character 1."),
        ("(" * (DEEPEST + 1), "parentheses inside each other"),
        (" and ".join(["a eq 1"] * (MOST_COMPARISONS + 1)), "comparisons"),
    ],
)
def test_what_is_no_filter_is_told_with_its_place(text: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        parse(text)


def test_an_unknown_operator_is_named() -> None:
    with pytest.raises(NotSupported, match=r"'like' \(at character 6\)"):
        parse("name like x")


def test_the_parameters_of_the_searched_resource_are_told() -> None:
    found = names(parse("a eq 1 and not (b[c eq 1].d eq 2 or e.f eq 3)"))

    assert list(found) == ["a", "b", "e"]


def test_a_string_is_json() -> None:
    found = parse(f"name eq {json.dumps('ø')}")

    assert isinstance(found, Comparison)
    assert found.value == Value("ø", quoted=True)
