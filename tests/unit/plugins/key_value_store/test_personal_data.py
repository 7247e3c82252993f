"""Which numbers are taken for those of persons."""

import json
from datetime import date
from unicodedata import category

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fyr.plugins.key_value_store.personal_data import (
    in_key,
    in_value,
    is_cpr,
    is_written_as_cpr,
)

#: As the CPR office gives it in its examples.
EXAMPLE = "0707614285"
WEIGHTS = (4, 3, 2, 7, 6, 5, 4, 3, 2)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Numbers by the rules for those who were born in the last century."""
    born = draw(st.dates(date(1900, 1, 1), date(1999, 12, 31)))
    nine = f"{born:%d%m%y}{draw(st.integers(0, 3))}{draw(st.integers(0, 99)):02d}"
    rest = sum(int(d) * w for d, w in zip(nine, WEIGHTS, strict=True)) % 11
    assume(rest != 1)
    return f"{nine}{(11 - rest) % 11}"


@given(
    numbers(),
    st.sampled_from(["", "-", " ", " - ", "\N{EN DASH}", "\N{NO-BREAK SPACE}"]),
    st.sampled_from(['"%s"', "%s", "a: %s,"]),
)
def test_a_number_is_found_in_text(number: str, between: str, text: str) -> None:
    written = text % (number[:6] + between + number[6:])

    assert in_value(written.encode(), "checked")
    assert in_value(f"æ\n{written}".encode(), "dates")
    assert not in_value(written.encode(), "off")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-be", "latin-1"])
@given(numbers())
def test_a_number_is_found_in_other_encodings(encoding: str, number: str) -> None:
    assert in_value(f"<id>{number}</id>".encode(encoding), "checked")


#: Digits of other scripts and styles: all fullwidth, all Arabic-Indic, all bold.
ODD_DIGITS = [
    str.maketrans("0123456789", "".join(chr(first + n) for n in range(10)))
    for first in (0xFF10, 0x0660, 0x1D7CE)
]
#: A character between the parts, as word processors and web pages write it.
ODD_BETWEEN = [
    *("\t", "\N{NO-BREAK SPACE}", "\N{THIN SPACE}", "\N{NARROW NO-BREAK SPACE}"),
    *("\N{IDEOGRAPHIC SPACE}", "\N{OGHAM SPACE MARK}", "\N{ZERO WIDTH SPACE}"),
    *("\N{SOFT HYPHEN}", "\N{FULLWIDTH HYPHEN-MINUS}", "\N{SMALL HYPHEN-MINUS}"),
    *("\N{MINUS SIGN}", "\N{NON-BREAKING HYPHEN}", "\N{TWO-EM DASH}"),
    *("\N{THIN SPACE}\N{EM DASH}\N{THIN SPACE}", "\N{ZERO WIDTH NO-BREAK SPACE}- "),
]


@pytest.mark.parametrize("between", ODD_BETWEEN)
@given(number=numbers())
def test_a_number_is_found_with_an_odd_blank_or_dash(number: str, between: str) -> None:
    written = number[:6] + between + number[6:]

    assert in_value(f"a: {written},".encode(), "checked")
    assert in_value(json.dumps({"a": written}).encode(), "checked")
    assert in_value(f'"{written}"'.encode("utf-16"), "checked")
    assert in_value(f'"{written}"'.encode("utf-32-be"), "checked")
    assert is_written_as_cpr(written, "checked")


@pytest.mark.parametrize("kind", ["Zs", "Pd"])
def test_every_blank_and_dash_of_unicode_may_stand_between(kind: str) -> None:
    """As far as this Python knows them."""
    every = [one for one in map(chr, range(0x11_0000)) if category(one) == kind]

    assert len(every) > 10
    for between in every:
        assert in_value(f"070761{between}4285".encode(), "checked"), ascii(between)


@pytest.mark.parametrize("digits", ODD_DIGITS)
@given(number=numbers())
def test_a_number_is_found_in_odd_digits(number: str, digits: dict[int, str]) -> None:
    written = number.translate(digits)

    assert in_value(f"a: {written},".encode(), "checked")
    assert in_value(json.dumps({"a": written}).encode(), "checked")
    assert in_value(written.encode("utf-16"), "checked")
    assert is_written_as_cpr(written, "checked")


def test_a_number_is_found_beside_bytes_that_are_no_text() -> None:
    assert in_value(b"\xff\xfe\xfd 070761\xa04285 \x80", "checked")
    assert in_value(b"070761\x964285 \xe6", "checked")
    assert in_value(b"\x80 070761\xe2\x80\x894285", "checked")
    assert in_value("0707614285\N{SUPERSCRIPT TWO}".encode(), "checked")


@pytest.mark.parametrize(
    "between", ["\n", "\r\n", "  ", "\N{LINE SEPARATOR}", "/", ", "]
)
def test_two_numbers_are_not_one(between: str) -> None:
    assert not in_value(f"070761{between}4285".encode(), "dates")


@given(st.binary())
def test_any_bytes_can_be_looked_at(content: bytes) -> None:
    assert in_value(content, "checked") <= in_value(content, "dates")


@given(numbers(), st.sampled_from(["", "-", ".", "_", "~"]))
def test_a_number_is_found_in_a_key(number: str, between: str) -> None:
    assert in_key(f"user{number[:6]}{between}{number[6:]}.theme", "checked")


@given(numbers())
def test_a_user_id_is_one_when_it_is_nothing_else(number: str) -> None:
    assert is_written_as_cpr(number, "checked")
    assert is_written_as_cpr(f"{number[:6]}-{number[6:]}", "checked")
    assert not is_written_as_cpr(f"ab{number[:6]}-{number[6:]}-4cc1", "dates")
    assert not is_written_as_cpr(number, "off")


@given(numbers(), st.integers(1, 9))
def test_a_wrong_check_digit_is_an_ordinary_number(number: str, more: int) -> None:
    wrong = number[:9] + str((int(number[9]) + more) % 10)

    assert not in_value(wrong.encode(), "checked")
    assert in_value(wrong.encode(), "dates")


@given(numbers())
def test_a_part_of_a_longer_number_is_none(number: str) -> None:
    for text in (
        f"1{number}",
        f"{number}1",
        f"a{number}",
        f"{number}.5",
        f"0.{number}",
    ):
        assert not in_value(text.encode(), "dates")


@pytest.mark.parametrize(
    "text",
    [
        "1764177600",  # seconds since 1970
        "1764177600123",
        "2026-11-26T17:13:55.000Z",
        "+45 33 92 33 92",
        "3392339212",
        "9999999999",
        "3002614285",  # no such day
        "070761-428",
        "550e8400-e29b-41d4-a716-446655440000",
        "1234567890",
        "+45\N{NO-BREAK SPACE}33\N{NO-BREAK SPACE}92\N{NO-BREAK SPACE}33 92",
        "070761\t42850\t070761\t428",
        "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567\N{NO-BREAK SPACE}890",
        "2026\N{EN DASH}11\N{EN DASH}26",
    ],
)
def test_ordinary_numbers_are_left_alone(text: str) -> None:
    assert not in_value(text.encode(), "dates")
    assert not in_key(text, "dates")


def test_of_all_numbers_one_in_hundreds_looks_like_one() -> None:
    taken = sum(
        is_cpr(f"{number * 9_999_991 % 10**10:010d}", "checked")
        for number in range(20_000)
    )

    assert 0 < taken < 20_000 / 200


@pytest.mark.parametrize(
    ("digits", "is_one"),
    [
        (EXAMPLE, True),
        ("2902004000", True),  # a leap day of 2000
        ("2902014000", False),
        ("2902000000", False),  # 1900 had none
        ("2902005000", True),
        ("0101585000", True),  # 1858
        ("0000000000", False),
    ],
)
def test_the_seventh_digit_tells_the_century(digits: str, is_one: bool) -> None:
    assert is_cpr(digits, "dates") is is_one
