import pytest

from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.search.extraction.expressions import (
    Name,
    NotSimple,
    OfType,
    Resolves,
    Where,
    parse,
    parts_of,
)
from fyr.search.parameters import Parameters


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("Patient.name.family", (Name("name"), Name("family"))),
        ("(Observation.value as Quantity)", (Name("value"), OfType("Quantity"))),
        (
            "(Observation.value as CodeableConcept).text",
            (Name("value"), OfType("CodeableConcept"), Name("text")),
        ),
        ("Condition.onset.as(Age)", (Name("onset"), OfType("Age"))),
        (
            "Patient.telecom.where(system='phone')",
            (Name("telecom"), Where("system", "phone")),
        ),
        (
            "Account.subject.where(resolve() is Patient)",
            (Name("subject"), Resolves("Patient")),
        ),
    ],
)
def test_a_simple_expression_is_a_row_of_steps(
    text: str, steps: tuple[object, ...]
) -> None:
    assert parse(text)[1] == steps


def test_all_but_two_of_the_standard_expressions_are_simple() -> None:
    parameters = Parameters()
    paths = {
        path
        for kind in RESOURCE_TYPES
        for one in parameters.of(kind).values()
        for path in one.paths
    }

    others = {path for path in paths if not is_simple(path)}

    assert others == {
        "Bundle.entry[0].resource",
        "Patient.deceased.exists() and Patient.deceased != false",
    }


def is_simple(path: str) -> bool:
    try:
        parse(path)
    except NotSimple:
        return False
    return True


def test_a_union_is_split_by_the_types_that_its_parts_begin_at() -> None:
    union = "Patient.name | Person.name | Patient.alias | Patient.name"

    assert parts_of(union, "Patient") == ["Patient.name", "Patient.alias"]
    assert parts_of("name | alias", "Organization") == [
        "Organization.name",
        "Organization.alias",
    ]
