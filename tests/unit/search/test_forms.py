"""Expressions of custom parameters: read, refused, and never in the way of a write."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from fyr.core.errors import Invalid
from fyr.core.model.resource import Resource
from fyr.search.extraction.extract import Extractor
from fyr.search.extraction.forms import read, union
from fyr.search.extraction.places import Places
from fyr.search.indexing.checking import accepted, problems
from fyr.search.parameters import TABLES, Parameters

BASES = ("Resource", "DomainResource", "Patient")
EXTENSION = "Patient.extension.where(url='http://x|y')"

PATIENT: Resource = {
    "resourceType": "Patient",
    "id": "p",
    "active": True,
    "extension": [
        {"url": "http://x|y", "valueCodeableConcept": {"coding": [{"code": "c"}]}},
        {"url": "http://z", "valueString": "z"},
    ],
    "name": [{"family": "Berg", "given": ["A", "B"]}],
    "telecom": [{"system": "phone", "value": "1", "use": "home"}],
    "birthDate": "1948-05-17",
    "_birthDate": {"extension": [{"url": "http://t", "valueDateTime": "1948"}]},
    "contact": [{"name": {"family": "Dahl"}}],
    "multipleBirthInteger": 2,
    "managingOrganization": {"reference": "Organization/1"},
}


def parameter(expression: str, type_: str = "token") -> Resource:
    return {
        "resourceType": "SearchParameter",
        "id": "x",
        "url": "http://example.org/x",
        "status": "active",
        "code": "x",
        "base": ["Patient"],
        "type": type_,
        "expression": expression,
    }


def rows(expression: str, type_: str = "token") -> Any:
    """Take the rows of the parameter alone."""
    (one,) = accepted([], [parameter(expression, type_)])
    plain, more = Parameters(), Parameters([one])
    before = Extractor(Places(plain)).rows(PATIENT)
    after = Extractor(Places(more)).rows(PATIENT)
    return [
        row[1:]
        for table, found in after.items()
        for row in found
        if row not in before.get(table, [])
    ]


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("Patient.extension('http://x|y')", EXTENSION),
        ("Patient.extension.where(url = 'http://x|y')", EXTENSION),
        ("(Patient.extension('http://x|y').value as Coding)", EXTENSION + ".value.as(Coding)"),
        ("Patient.extension('http://x|y').value.ofType(FHIR.Coding)", EXTENSION + ".value.as(Coding)"),
        ("DomainResource.extension('http://x|y')", EXTENSION),
        ("name.given", "Patient.name.given"),
        (
            "Patient.link.other.where(resolve() is Patient)",
            "Patient.link.other.where(resolve() is Patient)",
        ),
    ],
)  # fmt: skip
def test_what_means_a_simple_path_is_written_as_one(written: str, path: str) -> None:
    assert read(written, "Patient", BASES) == ([path], [])


def test_a_union_is_split_outside_of_texts_and_brackets() -> None:
    assert union("a.where(b='|') | (c | d) |`e|f`") == [
        "a.where(b='|')",
        "(c | d)",
        "`e|f`",
    ]


def test_parts_of_other_types_are_left_out() -> None:
    expression = "Person.name | Patient.name | Group.name"
    assert read(expression, "Patient", BASES) == (["Patient.name"], [])


@pytest.mark.parametrize(
    ("expression", "type_", "found"),
    [
        ("Patient.extension('http://x|y')", "token", [("c", 0)]),
        ("Patient.extension('http://z')", "string", [("z", "z")]),
        ("Patient.name[0].given", "string", [("a", "A"), ("b", "B")]),
        ("Patient.telecom.where(use='home').value", "token", [("1", 0)]),
        ("Patient.telecom.where(system='phone').value", "token", [("1", 0)]),
        ("Patient.name.count()", "number", [(1.0, 1.0)]),
        ("Patient.active and Patient.name.exists()", "token", [("true", 0)]),
        ("Patient.contact.select(name.family)", "string", [("dahl", "Dahl")]),
        ("Patient.birthDate.extension('http://t').value.exists()", "token", [("true", 0)]),
    ],
)  # fmt: skip
def test_paths_and_what_is_evaluated_give_rows(
    expression: str, type_: str, found: list[Any]
) -> None:
    assert rows(expression, type_) == found


_STEPS = st.sampled_from(
    """.name .given .extension .value .contact .telecom .birthDate .active .deceased
    .multipleBirth .managingOrganization .extension('http://x|y') .where(use='home')
    .where(system='phone') .where(url='http://z') .first() .count() .exists() .not()
    .as(CodeableConcept) .ofType(string) .resolve() .where(resolve()isOrganization)
    [0] =1 |Patient.name +1 &'a' .select(family) .descendants() .children() .single()
    .where(true) .toQuantity() .join('') .x .where( ) ' .now() .matches('a')
    .iif(true,1) .repeat(extension) and(true) .toDateTime() .toInteger()""".split()
)


@examples(max_examples=300, deadline=None)
@given(
    start=st.sampled_from(["Patient", "Resource", "name", "Group", "%resource", "'a'"]),
    steps=st.lists(_STEPS, max_size=4),
    type_=st.sampled_from(sorted(TABLES)),
)
def test_any_expression_is_refused_or_can_be_indexed_by(
    start: str, steps: list[str], type_: str
) -> None:
    one = parameter("".join([start, *steps]).replace(")isO", ") is O"), type_)

    refused = problems(one, Parameters())

    taken = accepted([], [one])
    assert len(taken) == (not refused)
    Extractor(Places(Parameters(taken))).rows(PATIENT)


@pytest.mark.parametrize("type_", sorted(TABLES))
@pytest.mark.parametrize(
    "path", ["birthDate", "multipleBirth", "name", "name.given", "active", "telecom"]
)
def test_what_is_no_reference_leads_to_no_type(path: str, type_: str) -> None:
    one = parameter(f"Patient.{path}.where(resolve() is Organization)", type_)

    assert problems(one, Parameters())
    assert accepted([], [one]) == []


@pytest.mark.parametrize("type_", sorted(set(TABLES) - {"reference"}))
def test_an_extension_leads_to_a_type_by_references_only(type_: str) -> None:
    path = f"{EXTENSION}.value.where(resolve() is Organization)"

    assert problems(parameter(path, type_), Parameters())
    assert problems(parameter(path, "reference"), Parameters()) == []


@given(st.text("Patien.name()'|`[]{}=@%$ /*\\0", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(Invalid):
        read(text, "Patient", BASES)
