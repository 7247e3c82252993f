"""Units mean the same when UCUM says so: https://ucum.org/ucum."""

import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.search.extraction.units import CANONICAL, unit


@pytest.mark.parametrize(
    ("value", "code", "same", "as_code"),
    [
        ("5.4", "mg", "0.0054", "g"),
        ("180", "cm", "1.8", "m"),
        ("1", "[lb_av]", "453.59237", "g"),
        ("98.6", "[degF]", "37", "Cel"),
        ("310.15", "K", "37", "Cel"),
        ("120", "mm[Hg]", "12", "cm[Hg]"),
        ("60", "/min", "1", "/s"),
        ("60", "{beats}/min", "1", "Hz"),
        ("90", "mg/dL", "0.9", "g/L"),
        ("1", "mmol/L", "1", "meq/L"),
        ("4.5", "10*9/L", "4500", "/uL"),
        ("1", "k[iU]/mL", "1000", "[iU]/mL"),
        ("5", "%", "0.05", "1"),
        ("7", "{score}", "7", "1"),
        ("90", "min", "1.5", "h"),
        ("14", "d", "2", "wk"),
        ("12", "mo", "1", "a"),
        ("25", "kg/m2", "25", "kg.m-2"),
        ("1", "[mi_i]", "1.609344", "km"),
        ("60", "mL/min/{1.73_m2}", "1", "mL/s"),
        ("1", "[IU]/mL", "1000", "[iU]/L"),
        ("1", "[Cal]", "4184", "J"),
        ("1", "[in_i'Hg]", "25.4", "mm[Hg]"),
        ("1", "g%", "1", "g/dL"),
        ("1", "deg", "60", "'"),
        ("1", "By", "8", "bit"),
    ],
)
def test_what_is_as_much_is_one_number_in_one_unit(
    value: str, code: str, same: str, as_code: str
) -> None:
    one, other = unit(code), unit(as_code)

    assert one
    assert other
    assert one.canonical == other.canonical
    assert one.convert(Decimal(value)) == other.convert(Decimal(same))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mg", "mL"),
        ("[iU]/L", "/L"),
        ("[iU]", "[arb'U]"),
        ("mol", "1"),
        ("m", "m2"),
        ("mg/dL", "mmol/L"),
    ],
)
def test_what_measures_something_else_is_not_compared(one: str, other: str) -> None:
    first, second = unit(one), unit(other)

    assert first
    assert second
    assert first.canonical != second.canonical


@pytest.mark.parametrize(
    "code", ["foo", "KG", "lbs", "", "[pH]", "dB", "Cel/min", "mCel", "10*999999999"]
)
def test_what_is_no_unit_or_has_no_scale_is_not_converted(code: str) -> None:
    assert unit(code) is None


def test_each_canonical_unit_is_known_and_of_a_dimension_of_its_own() -> None:
    found = [unit("K" if code == "Cel" else f"({code})") for code in CANONICAL]

    assert [one.canonical for one in found if one] == CANONICAL


def test_a_size_that_would_take_long_to_reckon_is_none() -> None:
    for code in ("999999999+999999999", "Tm999999999", "10*-999999999"):
        assert unit(code) is None


@given(st.text(max_size=60) | st.text("kmgLs[]{}()./+-*10%'ä", max_size=60))
def test_any_text_is_a_unit_or_none(text: str) -> None:
    found = unit(text)

    assert found is None or found.factor > 0


def test_the_library_is_not_loaded_for_canonical_units() -> None:
    code = (
        "import sys; from fyr.search.extraction.units import unit; unit('kg');"
        " assert 'ucumvert' not in sys.modules; unit('g');"
        " assert 'ucumvert' in sys.modules"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
