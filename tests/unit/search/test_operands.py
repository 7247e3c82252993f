from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import Invalid
from fyr.core.searching import escaped
from fyr.search.hashes import hash64
from fyr.search.tree import Amount, Moment, Target, Text, Token, Uri
from fyr.search.understanding.operands import Operands, plain, split

READ = Operands(lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda url: url)
TEXTS = st.text(min_size=1, max_size=12).filter(lambda text: text.strip() == text)
KINDS = ["token", "string", "reference", "date", "number", "quantity", "uri"]


@given(st.lists(st.text(alphabet="ab,|$\\ ø", max_size=6), min_size=1))
def test_escaped_values_come_back_from_a_list(values: list[str]) -> None:
    joined = ",".join(map(escaped, values))

    assert [plain(part) for part in split(joined, ",")] == values


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_each_value_of_a_list_is_one_operand(values: list[str]) -> None:
    read = READ.read("uri", ",".join(map(escaped, values)), "url")

    assert read == tuple(Uri(value) for value in values)


@given(st.sampled_from(KINDS), st.text(max_size=40))
def test_any_text_is_read_or_refused(kind: str, text: str) -> None:
    try:
        read = READ.read(kind, text, "p")
    except Invalid:
        return

    assert read


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("a", Token(None, "a")),
        ("http://s|a", Token(hash64("http://s"), "a")),
        ("|a", Token(0, "a")),
        ("http://s|", Token(hash64("http://s"), None)),
        (r"a\|b", Token(None, "a|b")),
    ],
)
def test_a_token_is_a_code_in_a_system(text: str, token: Token) -> None:
    assert READ.read("token", text, "code") == (token,)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("1", Target(None, "1")),
        ("Patient/1", Target("Patient", "1")),
        ("Patient/1/_history/2", Target("Patient", "1")),
        ("http://x/Patient/1", Target(None, "http://x/Patient/1")),
        ("http://x/ValueSet|2.0", Target("|2.0", "http://x/ValueSet")),
    ],
)
def test_a_reference_is_an_id_a_type_with_an_id_or_a_url(
    text: str, target: Target
) -> None:
    assert READ.read("reference", text, "subject") == (target,)


def test_digits_tell_how_exact_a_number_is() -> None:
    found = [
        (one.low, one.high)
        for one in READ.read("number", "100,100.00,1e2", "n")
        if isinstance(one, Amount)
    ]

    assert found == [(99.5, 100.5), (99.995, 100.005), (50.0, 150.0)]


def test_a_prefix_stands_before_numbers_and_dates() -> None:
    (amount,) = READ.read("quantity", "ge5.4|http://u|mg", "q")
    (moment,) = READ.read("date", "sa2024", "d")

    assert isinstance(amount, Amount)
    assert (amount.prefix, amount.value, amount.code) == ("ge", 5.4, "mg")
    assert isinstance(moment, Moment)
    assert moment.prefix == "sa"


def test_a_string_is_compared_without_case() -> None:
    assert READ.read("string", "Pé", "name") == (Text("pe", "Pé"),)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("number", "ten"),
        ("number", "NaN"),
        ("number", "1e99999"),
        ("quantity", "5|mg"),
        ("date", "yesterday"),
        ("token", "a|b|c"),
        ("token", "|"),
        ("token", "a,,b"),
        ("string", " "),
        ("uri", ""),
        ("token", ",".join("a" * 1001)),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(kind: str, text: str) -> None:
    with pytest.raises(Invalid, match="'height'"):
        READ.read(kind, text, "height")
