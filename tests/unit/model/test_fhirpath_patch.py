"""FHIRPath Patch, as https://hl7.org/fhir/R4/fhirpatch.html has it."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.errors import Invalid, Refused
from fyr.core.model import json, patch
from fyr.core.model.fhirpath_patch import FhirPathPatch

PATIENT = json.parse(
    b"""{"resourceType": "Patient", "id": "p", "active": true,
    "identifier": [{"value": "1"}, {"value": "2"}, {"value": "3"}],
    "name": [{"use": "official", "given": ["A", "B"],
              "_given": [null, {"extension": [{"url": "u", "valueString": "y"}]}]},
             {"use": "usual"}],
    "birthDate": "1920-01-01", "_birthDate": {"id": "b"},
    "multipleBirthInteger": 2,
    "contact": [{"name": {"text": "n"}, "gender": "male"}]}"""
)


def operation(kind: str, path: str, **parts: Any) -> dict[str, Any]:
    made: list[dict[str, Any]] = [
        {"name": "type", "valueCode": kind},
        {"name": "path", "valueString": path},
    ]
    for name, value in parts.items():
        if isinstance(value, dict):
            made.append({"name": name, **value})
        else:
            member = "valueInteger" if isinstance(value, int) else "valueString"
            made.append({"name": name, member: value})
    return {"name": "operation", "part": made}


def patched(*operations: dict[str, Any]) -> dict[str, Any]:
    parameters: dict[str, Any] = {"resourceType": "Parameters"}
    if operations:
        parameters["parameter"] = list(operations)
    return patch.apply(PATIENT, FhirPathPatch.of(parameters))


def changed(*operations: dict[str, Any]) -> dict[str, Any]:
    """Tell the members that differ afterwards, ``None`` for those that are gone."""
    done = patched(*operations)
    keys = [*PATIENT, *(key for key in done if key not in PATIENT)]
    return {key: done.get(key) for key in keys if done.get(key) != PATIENT.get(key)}


def test_a_primitive_is_replaced_together_with_its_extensions() -> None:
    change = operation(
        "replace", "Patient.birthDate", value={"valueDate": "1930-01-01"}
    )

    assert changed(change) == {"birthDate": "1930-01-01", "_birthDate": None}


def test_a_nested_primitive_is_replaced() -> None:
    change = operation(
        "replace", "Patient.contact[0].gender", value={"valueCode": "other"}
    )

    assert changed(change) == {"contact": [{"name": {"text": "n"}, "gender": "other"}]}


def test_an_element_chosen_by_a_criterion_is_replaced() -> None:
    change = operation(
        "replace",
        "Patient.name.where(use = 'usual')",
        value={"valueHumanName": {"text": "q"}},
    )

    assert changed(change)["name"][1] == {"text": "q"}


def test_a_choice_may_change_its_type() -> None:
    change = operation("replace", "Patient.multipleBirth", value={"valueBoolean": True})

    assert changed(change) == {
        "multipleBirthInteger": None,
        "multipleBirthBoolean": True,
    }


def test_a_choice_is_added_by_its_base_name() -> None:
    change = operation("add", "Patient", name="deceased", value={"valueBoolean": False})

    assert changed(change) == {"deceasedBoolean": False}


def test_adding_to_a_list_appends() -> None:
    change = operation(
        "add", "Patient", name="identifier", value={"valueIdentifier": {"value": "4"}}
    )

    assert [i["value"] for i in patched(change)["identifier"]] == ["1", "2", "3", "4"]


def test_an_anonymous_element_is_added_in_parts() -> None:
    value = {
        "part": [
            {"name": "name", "valueHumanName": {"text": "z"}},
            {"name": "relationship", "valueCodeableConcept": {"text": "1"}},
            {"name": "relationship", "valueCodeableConcept": {"text": "2"}},
        ]
    }

    done = patched(operation("add", "Patient", name="contact", value=value))

    assert done["contact"][1] == {
        "name": {"text": "z"},
        "relationship": [{"text": "1"}, {"text": "2"}],
    }


def test_an_extension_is_added_to_a_primitive_in_parts() -> None:
    value = {
        "part": [
            {"name": "url", "valueUri": "http://e"},
            {"name": "value", "valueCode": "c"},
        ]
    }

    done = patched(
        operation("add", "Patient.name[0].given[0]", name="extension", value=value)
    )

    assert done["name"][0]["_given"] == [
        {"extension": [{"url": "http://e", "valueCode": "c"}]},
        {"extension": [{"url": "u", "valueString": "y"}]},
    ]


def test_a_contained_resource_is_added() -> None:
    resource = {"resourceType": "Organization", "id": "o"}

    change = operation("add", "Patient", name="contained", value={"resource": resource})

    assert changed(change) == {"contained": [resource]}


@pytest.mark.parametrize(
    ("index", "expected"),
    [(0, ["0", "1", "2", "3"]), (1, ["1", "0", "2", "3"]), (3, ["1", "2", "3", "0"])],
)
def test_an_item_is_inserted_at_its_index(index: int, expected: list[str]) -> None:
    value = {"valueIdentifier": {"value": "0"}}

    done = patched(operation("insert", "Patient.identifier", index=index, value=value))

    assert [item["value"] for item in done["identifier"]] == expected


def test_an_item_is_inserted_into_a_list_that_is_not_there_yet() -> None:
    change = operation(
        "insert", "Patient.name[1].given", index=0, value={"valueString": "N"}
    )

    assert changed(change)["name"][1] == {"use": "usual", "given": ["N"]}


def test_extensions_move_with_the_items_that_they_belong_to() -> None:
    insertion = operation(
        "insert", "Patient.name[0].given", index=1, value={"valueString": "M"}
    )
    move = operation("move", "Patient.name[0].given", source=2, destination=0)

    name = patched(insertion, move)["name"][0]

    assert name["given"] == ["B", "A", "M"]
    assert name["_given"] == [
        {"extension": [{"url": "u", "valueString": "y"}]},
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("source", "destination", "expected"),
    [(2, 0, ["3", "1", "2"]), (0, 2, ["2", "3", "1"]), (1, 1, ["1", "2", "3"])],
)
def test_an_item_moves(source: int, destination: int, expected: list[str]) -> None:
    done = patched(
        operation("move", "Patient.identifier", source=source, destination=destination)
    )

    assert [item["value"] for item in done["identifier"]] == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Patient.birthDate", {"birthDate": None, "_birthDate": None}),
        ("Patient.birthDate.id", {"_birthDate": None}),
        ("Patient.multipleBirth", {"multipleBirthInteger": None}),
        ("Patient.identifier[1]", {"identifier": [{"value": "1"}, {"value": "3"}]}),
        ("Patient.contact", {"contact": None}),
        ("Patient.contact[0].name.text", {"contact": [{"gender": "male"}]}),
        ("Patient.photo", {}),
    ],
)
def test_an_element_is_deleted_with_what_held_nothing_else(
    path: str, expected: dict[str, Any]
) -> None:
    assert changed(operation("delete", path)) == expected


def test_deleting_an_item_keeps_extensions_beside_their_values() -> None:
    name = patched(operation("delete", "Patient.name[0].given[0]"))["name"][0]

    assert name["given"] == ["B"]
    assert name["_given"] == [{"extension": [{"url": "u", "valueString": "y"}]}]


def test_later_operations_see_what_earlier_ones_did() -> None:
    first = operation("delete", "Patient.identifier[0]")
    second = operation("delete", "Patient.identifier[0]")

    assert patched(first, second)["identifier"] == [{"value": "3"}]


def test_a_patch_without_operations_changes_nothing() -> None:
    assert changed() == {}


@pytest.mark.parametrize(
    "change",
    [
        operation("delete", "Patient.identifier"),
        operation("delete", "Patient"),
        operation("delete", "1 + 1"),
        operation("replace", "Patient.photo", value={"valueString": "x"}),
        operation(
            "replace", "Patient.identifier", value={"valueIdentifier": {"value": "9"}}
        ),
        operation("replace", "Patient.birthDate", value={"valueInteger": 5}),
        operation("replace", "Patient.multipleBirth", value={"valueString": "x"}),
        operation("replace", "Patient", value={"valueString": "x"}),
        operation("add", "Patient", name="birthDate", value={"valueDate": "2000"}),
        operation("add", "Patient", name="multipleBirth", value={"valueBoolean": True}),
        operation("add", "Patient", name="nick", value={"valueString": "x"}),
        operation("add", "Patient.photo", name="url", value={"valueUrl": "x"}),
        operation("add", "Patient", name="photo", value={"part": [{"name": "nick"}]}),
        operation("add", "Patient", name="gender", value={"part": [{"name": "id"}]}),
        operation(
            "add",
            "Patient",
            name="photo",
            value={"resource": {"resourceType": "Organization"}},
        ),
        operation(
            "insert",
            "Patient.identifier",
            index=4,
            value={"valueIdentifier": {"value": "9"}},
        ),
        operation(
            "insert",
            "Patient.identifier",
            index=-1,
            value={"valueIdentifier": {"value": "9"}},
        ),
        operation("insert", "Patient.birthDate", index=0, value={"valueDate": "2000"}),
        operation("move", "Patient.identifier", source=3, destination=0),
        operation("move", "Patient.identifier", source=0, destination=3),
        operation("move", "Patient.photo", source=0, destination=0),
        operation("replace", "Patient.id", value={"valueId": "other"}),
        operation("delete", "Patient.id"),
    ],
)
def test_an_operation_that_does_not_fit_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        patched(change)


def test_another_resource_is_out_of_reach() -> None:
    expression = "Patient.managingOrganization.resolve().name"

    with pytest.raises(Refused, match="nothing"):
        patched(operation("replace", expression, value={"valueString": "x"}))


def test_all_malformed_operations_are_told_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        patched(
            operation("upsert", "Patient"),
            operation("add", "Patient"),
            operation("delete", "Patient.("),
            operation(
                "insert", "Patient.name", index="one", value={"valueString": "x"}
            ),
            {"name": "operations"},
        )

    assert [issue.expression for issue in refusal.value.issues] == [
        (f"Parameters.parameter[{number}]",) for number in range(5)
    ]


def test_parts_that_nobody_knows_are_refused() -> None:
    with pytest.raises(Invalid, match="colour"):
        patched(operation("delete", "Patient.active", colour="red"))


def test_values_that_are_not_valid_are_told_with_their_places() -> None:
    with pytest.raises(Invalid) as refusal:
        patched(
            operation(
                "add", "Patient", name="name", value={"valueHumanName": {"given": {}}}
            )
        )

    assert refusal.value.issues[0].expression == (
        "Parameters.parameter[0].part[3].value.given",
    )


def test_nesting_is_bounded_over_all_operations() -> None:
    nested = {
        "part": [
            {"name": "url", "valueUri": "u"},
            {"name": "extension", "part": [{"name": "url", "valueUri": "u"}]},
        ]
    }
    deepest = "Patient.repeat(extension).last()"
    first = operation("add", "Patient", name="extension", value=nested)
    deeper = [operation("add", deepest, name="extension", value=nested)] * 30

    with pytest.raises(Refused, match="deeper than 100"):
        patched(first, *deeper)


def test_all_operations_together_have_one_budget() -> None:
    costly = "Patient.where(%resource.descendants().select(%resource.descendants()).exists())"
    change = operation("delete", f"{costly}.photo")

    with pytest.raises(Invalid) as refusal:
        patched(*[change] * 900)

    assert [issue.code for issue in refusal.value.issues] == ["too-costly"]


KINDS = st.sampled_from(["add", "insert", "delete", "replace", "move"])
PATHS = st.sampled_from(
    """Patient Patient.name Patient.name[0].given[1] Patient.birthDate active
    Patient.multipleBirth Patient.contact Patient.name[1].given Patient.nick""".split()
)
VALUES = st.sampled_from(
    [
        {},
        {"valueString": "x"},
        {"valueHumanName": {"given": ["x"]}},
        {"valueBoolean": True},
        {"part": [{"name": "name", "valueHumanName": {"text": "x"}}]},
        {"part": [{"name": "given", "valueString": "x"}]},
        {"resource": {"resourceType": "Organization"}},
    ]
)
OPERATIONS = st.builds(
    operation,
    KINDS,
    PATHS,
    name=st.sampled_from(["name", "given", "birthDate", "multipleBirth", "nick", "id"]),
    index=st.integers(-1, 3),
    source=st.integers(-1, 3),
    destination=st.integers(-1, 3),
    value=VALUES,
)


@given(st.lists(OPERATIONS, max_size=4))
def test_no_patch_raises_anything_but_a_refusal(
    operations: list[dict[str, Any]],
) -> None:
    with suppress(Invalid, Refused):
        assert patched(*operations)["id"] == "p"
