"""Values with a unit: found by what they measure."""

from typing import Any

import pytest

from fyr.search.extraction.extract import Extractor
from fyr.search.extraction.places import Places
from fyr.search.parameters import Parameters

from .words import MEASURED, UCUM, measured, observation


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("5.4|http://unitsofmeasure.org|mg", "gram milli"),
        ("0.0054|http://unitsofmeasure.org|g", "gram milli"),
        ("5.40e-6|http://unitsofmeasure.org|kg", "gram milli"),
        ("5|http://unitsofmeasure.org|mg", "gram milli"),
        ("5.0|http://unitsofmeasure.org|mg", ""),
        ("ge5.4|http://unitsofmeasure.org|mg", "gram milli kilo samples"),
        ("gt5.4|http://unitsofmeasure.org|mg", "kilo samples"),
        ("lt5.4|http://unitsofmeasure.org|mg", "small"),
        ("le5.4|http://unitsofmeasure.org|mg", "gram milli small"),
        ("eb1|http://unitsofmeasure.org|kg", "gram milli small samples"),
        ("sa1|http://unitsofmeasure.org|kg", "kilo"),
        ("ap73|http://unitsofmeasure.org|kg", "kilo"),
        ("ne72.5|http://unitsofmeasure.org|kg", "gram milli small samples"),
        ("72500|http://unitsofmeasure.org|g", "kilo"),
        ("37.0|http://unitsofmeasure.org|Cel", "warm"),
        ("5.4|http://unitsofmeasure.org|drips", "unknown"),
        ("5.4||mg", "milli written"),
        ("5.4||milligram", "milli"),
        ("5.4||g", ""),
        ("5.4", "milli written unknown"),
        ("lt0.0001", "small"),
        ("0.0000054", ""),
        ("16|http://unitsofmeasure.org|g", ""),
        ("ge16|http://unitsofmeasure.org|g", "kilo samples"),
        ("gt20|http://unitsofmeasure.org|g", "kilo"),
        ("lt12|http://unitsofmeasure.org|g", "gram milli small"),
        ("gt1|http://unitsofmeasure.org|km", "clipped"),
        ("sa6|http://unitsofmeasure.org|m", "clipped"),
        ("72.5||kg,98.6||[degF]", "kilo warm"),
        ("72.5|http://unitsofmeasure.org|kg,5.4|http://unitsofmeasure.org|drips",
         "kilo unknown"),
    ],
)  # fmt: skip
def test_quantities_are_found_by_what_they_measure(
    library: Any, query: str, found: str
) -> None:
    library.put(*MEASURED)

    assert library.ids("Observation", f"value-quantity={query}") == found.split()


def test_what_is_written_in_its_canonical_unit_has_one_row() -> None:
    extract = Extractor(Places(Parameters()))

    def rows(quantity: dict[str, Any]) -> int:
        return len(
            extract.rows(observation("x", valueQuantity=quantity))["idx_quantity"]
        )

    assert rows(measured(72.5, "kg", unit="kg")) == 1
    assert rows(measured(72500, "g", unit="g")) == 2
    assert rows(measured(5, "drips")) == 1
    assert rows({"value": 5, "unit": "mg"}) == 1


def test_all_that_has_a_unit_is_converted(library: Any) -> None:
    condition = {"resourceType": "Condition", "subject": {"reference": "Patient/1"}}
    age = {**condition, "id": "age", "onsetAge": measured(18, "mo")}
    ages = {
        **condition,
        "id": "range",
        "onsetRange": {"low": measured(1, "a"), "high": measured(2, "a")},
    }
    years = {
        **condition,
        "id": "years",
        "onsetRange": {"low": {"value": 30, "unit": "years"}, "high": {"value": 40}},
    }
    encounter = {
        "resourceType": "Encounter",
        "id": "long",
        "status": "finished",
        "class": {"code": "AMB"},
        "length": measured(90, "min"),
    }
    invoice = {
        "resourceType": "Invoice",
        "id": "paid",
        "status": "issued",
        "totalNet": {"value": 10.5, "currency": "EUR"},
    }
    library.put(age, ages, years, encounter, invoice)

    assert library.ids("Condition", f"onset-age=1.5|{UCUM}|a") == ["age"]
    assert library.ids("Condition", f"onset-age=le24|{UCUM}|mo") == ["age", "range"]
    assert library.ids("Condition", "onset-age=lt41||years") == ["years"]
    assert library.ids("Condition", "onset-age=gt41||years") == []
    assert library.ids("Encounter", f"length=1.5|{UCUM}|h") == ["long"]
    assert library.ids("Invoice", "totalnet=10.5|urn:iso:std:iso:4217|EUR") == ["paid"]
    assert library.ids("Invoice", "totalnet=gt10||EUR") == ["paid"]
