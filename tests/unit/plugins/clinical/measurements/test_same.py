"""What counts as the same measurement, when one is used again."""

from decimal import Decimal
from typing import Any

import pytest

from fyr.plugins.clinical.measurements.same import differences


def observation(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", **more}


def quantity(value: Any, **more: Any) -> dict[str, Any]:
    return {"valueQuantity": {"value": value, **more}}


def part(code: str, value: int) -> dict[str, Any]:
    return {"code": {"coding": [{"code": code}]}, "valueInteger": value}


@pytest.mark.parametrize(
    ("again", "before"),
    [
        (quantity(97), quantity(Decimal("97.0"))),
        (quantity(1, unit="percent", code="%"), quantity(1, unit="%", code="%")),
        (
            {"valueCodeableConcept": {"coding": [{"code": "a"}, {"code": "b"}]}},
            {"valueCodeableConcept": {"coding": [{"code": "b"}, {"code": "a"}]}},
        ),
        (
            {"code": {"coding": [{"code": "a", "display": "A"}], "text": "x"}},
            {"code": {"coding": [{"code": "a"}]}},
        ),
        (
            {"component": [part("a", 1), part("b", 2)]},
            {"component": [part("b", 2), part("a", 1)]},
        ),
        ({"note": [{"text": "again"}]}, {}),
    ],
)
def test_what_is_written_otherwise_is_the_same(again, before) -> None:
    assert list(differences(observation(**again), observation(**before))) == []


@pytest.mark.parametrize(
    ("again", "before", "told"),
    [
        (quantity(97), quantity(98), ["value"]),
        (quantity(97, unit="%"), quantity(97, unit="kg"), ["value"]),
        (quantity(97), {"valueString": "97"}, ["value"]),
        (quantity(97), {}, ["value"]),
        (
            {"valueCodeableConcept": {"text": "a"}},
            {"valueCodeableConcept": {"text": "b"}},
            ["value"],
        ),
        (
            {"component": [part("a", 1), part("b", 2)]},
            {"component": [part("a", 2), part("b", 1)]},
            ["component"],
        ),
        (
            {"code": {"text": "a"}, **quantity(1)},
            {"code": {"text": "b"}, **quantity(2)},
            ["code", "value"],
        ),
    ],
)
def test_all_that_is_said_otherwise_is_told(again, before, told) -> None:
    assert list(differences(observation(**again), observation(**before))) == told


def test_content_of_media_is_not_compared() -> None:
    one = {"resourceType": "Media", "content": {"url": "urn:a"}}
    other = {"resourceType": "Media", "content": {"url": "urn:b"}}

    assert list(differences(one, other)) == []
