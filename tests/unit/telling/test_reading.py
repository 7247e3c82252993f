"""Paths into resources, and conditions on two versions of one."""

from typing import Any

import pytest

from fyr.core.telling import DEFINITIONS, Path, condition, first_patient, profiles_of


def test_a_path_goes_through_lists_and_into_what_is_nested() -> None:
    inner = {"definitionCanonical": "b", "action": [{"definitionCanonical": "c"}]}
    plan = {"action": [{"definitionCanonical": "a"}, {"action": [inner, inner]}]}

    assert Path("action*.definitionCanonical")(plan) == ["a", "b", "c"]


@pytest.mark.parametrize("text", ["", "a..b", "a.b()", "a[0]"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no step"):
        Path(text)


def test_a_condition_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="'grows' is none of changed, has"):
        condition("grows", "status")


def test_an_extension_is_found_by_its_short_name() -> None:
    name = "ehealth-episodeofcare-caremanagerOrganization"
    hl7 = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
    resource = {
        "extension": [
            {"url": DEFINITIONS + name, "valueReference": {"reference": "a/1"}},
            {"url": hl7, "valueReference": {"reference": "b/1"}},
        ]
    }

    assert Path(f"extension({name}).valueReference")(resource) == ["a/1"]
    hl7_path = "extension(hl7:workflow-episodeOfCare).valueReference"
    assert Path(hl7_path)(resource) == ["b/1"]


def one(*values: str) -> dict[str, Any]:
    return {"status": list(values)}


@pytest.mark.parametrize(
    ("name", "old", "new", "holds"),
    [
        ("changed", one("a"), one("b"), True),
        ("changed", one("a"), one("a"), False),
        ("has", one("x"), one("x"), True),
        ("becomes", one("a"), one("x"), True),
        ("becomes", None, one("x"), True),
        ("becomes", one("x"), one("x"), False),
        ("becomes", one("x"), one("y"), True),
        ("becomes", one("x"), one("a"), False),
        ("begins", one("a"), one("xyz"), True),
        ("gains", one("a"), one("b"), True),
        ("gains", one("a", "b"), one("a"), False),
        ("gains", one("a"), None, False),
    ],
)
def test_a_condition_holds_for_just_the_changes_that_it_means(
    name: str, old: dict[str, Any] | None, new: dict[str, Any] | None, holds: bool
) -> None:
    assert condition(name, "status", ("x", "y"))(old, new) is holds


def test_the_first_patient_of_some_references_is_found() -> None:
    references = ["Device/1", "https://x.test/fhir/Patient/2", "Patient/3"]

    assert first_patient(references) == "https://x.test/fhir/Patient/2"
    assert first_patient(["Device/1", "Patient/"]) == ""


def test_profiles_are_named_without_their_versions() -> None:
    said = {"meta": {"profile": [f"{DEFINITIONS}ehealth-task|8.0.0", None]}}

    assert profiles_of(said) == {"ehealth-task"}
