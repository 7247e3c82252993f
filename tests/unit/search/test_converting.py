"""Quantities in each other's units."""

from decimal import Decimal

import pytest

from fyr.search.extraction.converting import converted, fits, is_of_ucum, unit_of
from fyr.search.extraction.units import UCUM


@pytest.mark.parametrize(
    ("quantity", "told"),
    [
        ({"code": "%", "system": UCUM}, "%"),
        ({"code": "%"}, "%"),
        ({"code": "%", "system": ""}, "%"),
        ({"code": "%", "system": "urn:x"}, "% (urn:x)"),
        ({"unit": "percent"}, ""),
        ({"system": UCUM}, ""),
    ],
)
def test_a_unit_is_its_code_and_its_system_where_that_is_not_ucum(
    quantity, told
) -> None:
    assert unit_of(quantity) == told
    assert is_of_ucum(told) is (told == "%")


@pytest.mark.parametrize(
    ("given", "wanted", "value"),
    [
        ("kg", "g", 80_000),
        ("Cel", "K", Decimal("353.15")),
        ("%", "%", 80),
        ("%", "kg", None),
        ("% (urn:x)", "%", None),
        ("nothing", "%", None),
        ("", "%", None),
    ],
)
def test_values_fit_that_can_be_converted(given, wanted, value) -> None:
    assert converted(Decimal(80), given, wanted) == value
    assert fits(given, wanted) is (value is not None)
    assert fits(wanted, given) is (value is not None)


def test_a_unit_that_nobody_knows_fits_itself() -> None:
    assert fits("% (urn:x)", "% (urn:x)")
    assert converted(Decimal(1), "% (urn:x)", "% (urn:x)") is None
