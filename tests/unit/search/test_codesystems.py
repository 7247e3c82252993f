"""Concepts of a code system, and what filters choose of them."""

from typing import Any

import pytest

from fyr.core.errors import Invalid
from fyr.search.terms.code_systems import CodeSystem

PROPERTIES = "http://hl7.org/fhir/concept-properties"
#: animal > (dog > puppy, cat); pet above dog by a property; stone by itself
ANIMALS: dict[str, Any] = {
    "resourceType": "CodeSystem",
    "url": "http://animals",
    "content": "complete",
    "property": [
        {"code": "isA", "uri": f"{PROPERTIES}#parent", "type": "code"},
        {"code": "has", "uri": f"{PROPERTIES}#child", "type": "code"},
        {"code": "legs", "type": "integer"},
        {"code": "tame", "type": "boolean"},
        {"code": "like", "type": "Coding"},
    ],
    "concept": [
        {
            "code": "animal",
            "display": "Animal",
            "concept": [
                {
                    "code": "dog",
                    "property": [
                        {"code": "isA", "valueCode": "pet"},
                        {"code": "legs", "valueInteger": 4},
                        {"code": "tame", "valueBoolean": True},
                    ],
                    "concept": [{"code": "puppy"}],
                },
                {
                    "code": "cat",
                    "property": [
                        {"code": "legs", "valueInteger": 4},
                        {"code": "tame", "valueBoolean": False},
                        {"code": "like", "valueCoding": {"code": "dog"}},
                    ],
                },
            ],
        },
        {"code": "pet", "property": [{"code": "has", "valueCode": "cat"}]},
        {"code": "stone"},
    ],
}


@pytest.mark.parametrize(
    ("code", "below", "above"),
    [
        ("animal", "animal cat dog puppy", "animal"),
        ("pet", "cat dog pet puppy", "pet"),
        ("dog", "dog puppy", "animal dog pet"),
        ("cat", "cat", "animal cat pet"),
        ("puppy", "puppy", "animal dog pet puppy"),
        ("stone", "stone", "stone"),
    ],
)
def test_concepts_stand_below_others_by_nesting_and_by_properties(
    code: str, below: str, above: str
) -> None:
    animals = CodeSystem(ANIMALS)

    assert sorted(animals.below(code)) == below.split()
    assert sorted(animals.above(code)) == above.split()


@pytest.mark.parametrize(
    ("prop", "op", "value", "chosen"),
    [
        ("concept", "is-a", "dog", "dog puppy"),
        ("code", "descendent-of", "dog", "puppy"),
        ("concept", "is-not-a", "animal", "pet stone"),
        ("concept", "generalizes", "cat", "animal cat pet"),
        ("concept", "=", "cat", "cat"),
        ("code", "in", "cat, stone,unicorn", "cat stone"),
        ("code", "not-in", "cat,stone", "animal dog pet puppy"),
        ("isA", "=", "animal", "cat dog"),
        ("parent", "=", "animal", "cat dog"),
        ("has", "exists", "true", "animal dog pet"),
        ("legs", "=", "4", "cat dog"),
        ("tame", "=", "true", "dog"),
        ("tame", "exists", "true", "cat dog"),
        ("tame", "exists", "false", "animal pet puppy stone"),
        ("like", "in", "dog,cat", "cat"),
        ("display", "=", "Animal", "animal"),
    ],
)
def test_a_filter_chooses_concepts(prop: str, op: str, value: str, chosen: str) -> None:
    criterion = {"property": prop, "op": op, "value": value}

    assert sorted(CodeSystem(ANIMALS).chosen(criterion)) == chosen.split()


@pytest.mark.parametrize(
    ("criterion", "told"),
    [
        (("code", "regex", ".*"), "regex .* cannot be decided here"),
        (("tame", "is-a", "x"), "cannot be decided here"),
        (("colour", "=", "red"), "has no property 'colour'"),
        (("concept", "is-a", "unicorn"), "has no concept 'unicorn'"),
    ],
)
def test_what_cannot_be_decided_is_told(
    criterion: tuple[str, str, str], told: str
) -> None:
    names = ("property", "op", "value")

    with pytest.raises(Invalid, match=told):
        CodeSystem(ANIMALS).chosen(dict(zip(names, criterion, strict=True)))


@pytest.mark.parametrize("content", ["fragment", "example", "not-present", None])
def test_of_some_concepts_nothing_is_concluded(content: Any) -> None:
    with pytest.raises(Invalid, match="only be told of a complete one"):
        CodeSystem({**ANIMALS, "content": content})


def test_a_hierarchy_of_parts_is_none_of_kinds() -> None:
    parts = CodeSystem({**ANIMALS, "hierarchyMeaning": "part-of"})

    assert parts.chosen({"property": "legs", "op": "=", "value": "4"})
    with pytest.raises(Invalid, match="means 'part-of'"):
        parts.below("animal")


def test_kinds_of_each_other_are_found_once() -> None:
    parent = {"code": "parent", "type": "code"}
    around = [
        {"code": code, "property": [{"code": "parent", "valueCode": other}]}
        for code, other in [("a", "b"), ("b", "c"), ("c", "a")]
    ]
    ring = CodeSystem({**ANIMALS, "property": [parent], "concept": around})

    assert ring.below("a") == ring.above("b") == {"a", "b", "c"}
