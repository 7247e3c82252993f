"""Contained resources: what is asked about them, and what leads to them."""

from typing import Any

import pytest

from fyr.core.clock import utc_now
from fyr.core.errors import Invalid, NotSupported
from fyr.core.store.schema import INDEX_TABLES
from fyr.search.extraction.places import Places
from fyr.search.parameters import Parameters
from fyr.search.tree import Chain
from fyr.search.understanding.criteria import Criteria
from fyr.search.understanding.known import Known
from fyr.search.understanding.operands import Operands

PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "name": [{"text": "Bo"}],
    "managingOrganization": {"reference": "Organization/1"},
}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "contained": [PATIENT],
    "status": "final",
    "code": {"text": "x"},
    "subject": {"reference": "#p"},
}


@pytest.fixture
def filled(library: Any) -> Any:
    patient = {"resourceType": "Patient", "id": "p", "name": [{"text": "Another"}]}
    clinic = {"resourceType": "Organization", "id": "1", "name": "Clinic"}
    library.put(OBSERVATION, patient, clinic)
    return library


@pytest.mark.parametrize(
    "query",
    ["_contained=false", "_containedType=container", "_containedType=contained"],
)
def test_what_leaves_contained_resources_out_is_taken(filled: Any, query: str) -> None:
    page = filled.page("Observation", query)

    assert [one.id for one in page.matches] == ["o"]
    assert list(page.used) == [tuple(query.split("="))]


@pytest.mark.parametrize("value", ["true", "both"])
def test_asking_for_contained_resources_is_refused_by_name(
    filled: Any, value: str
) -> None:
    with pytest.raises(NotSupported, match=f"_contained={value} is not offered"):
        filled.page("Patient", f"_contained={value}")

    page = filled.page("Patient", f"_contained={value}&name=Bo", handling="lenient")
    assert "ignored: _contained" in page.issues[0].diagnostics
    assert page.matches == []


@pytest.mark.parametrize("query", ["_contained=maybe", "_containedType=x"])
def test_another_value_is_told(filled: Any, query: str) -> None:
    with pytest.raises(Invalid, match="is one of"):
        filled.page("Patient", query)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("subject:Patient.name=Bo", ["o"]),
        ("patient.name=Bo", ["o"]),
        ("subject.name=Bo&code:text=x", ["o"]),
        ("subject.gender:missing=true", ["o"]),
        ("subject.organization.name=Clinic", ["o"]),
        ("_filter=subject.name eq Bo", ["o"]),
        ("_filter=not (subject.name eq Bo)", []),
        # Nothing but that resource, nor a namesake of it outside.
        ("subject:Group.identifier=1", []),
        ("performer.name=Bo", []),
        ("subject:Patient.name=Another", []),
        ("subject=Patient/p", []),
        ("subject=p", []),
        ("subject:missing=false", ["o"]),
        # Which only a resource of its own has.
        ("subject:Patient._id=p", []),
        ("subject:Patient._lastUpdated=gt1900", []),
        ("subject:Patient._has:Observation:subject:code=x", []),
    ],
)
def test_a_chain_goes_into_what_a_resource_contains(
    filled: Any, query: str, found: list[str]
) -> None:
    assert filled.ids("Observation", query) == found
    # From all observations, too.
    assert filled.ids("Observation", f"{query}&_id=o") == found
    assert filled.ids("Observation", f"{query}&_sort=code") == found


def test_values_of_two_contained_resources_are_not_mixed(library: Any) -> None:
    two = [
        {"resourceType": "Patient", "id": "a", "gender": "male"},
        {"resourceType": "Patient", "id": "b", "name": [{"text": "Bo"}]},
    ]
    library.put({**OBSERVATION, "contained": two, "subject": {"reference": "#a"}})

    assert library.ids("Observation", "subject:Patient.gender=male") == ["o"]
    assert library.ids("Observation", "subject:Patient.name=Bo") == []
    both = "_filter=subject[gender eq male].name eq Bo"
    assert library.ids("Observation", both) == []


def test_what_is_contained_is_found_by_the_parameters_of_r4_only() -> None:
    """Others come and go, and what contains it is not indexed anew for them."""
    nickname = {
        "resourceType": "SearchParameter",
        "url": "http://x/nickname",
        "code": "nickname",
        "base": ["Patient"],
        "type": "string",
        "expression": "Patient.name.where(use='nickname').given",
    }
    parameters = Parameters([nickname])
    known = Known(parameters, Places(parameters), Operands(utc_now, str))
    read = Criteria(known).criterion

    asked = read(["Observation"], "subject:Patient.nickname:missing", "true")
    of_r4 = read(["Observation"], "subject:Patient.name:missing", "true")

    assert isinstance(asked, Chain)
    assert asked.inside is None
    assert isinstance(of_r4, Chain)
    assert of_r4.inside is not None


def test_a_chain_follows_a_change_of_what_is_contained(library: Any) -> None:
    (stored,) = library.put(OBSERVATION)
    renamed = {"resourceType": "Patient", "id": "p", "name": [{"text": "Ida"}]}

    stored = library.change({**OBSERVATION, "contained": [renamed]}, stored)
    assert library.ids("Observation", "subject:Patient.name=Bo") == []
    assert library.ids("Observation", "subject:Patient.name=Ida") == ["o"]

    library.change(None, stored)
    rows = [
        library.database.rows(f"SELECT * FROM {table}")
        for table in sorted(INDEX_TABLES)
    ]
    assert rows == [[]] * len(INDEX_TABLES)


def test_nothing_contained_is_found_as_a_resource_or_included(filled: Any) -> None:
    assert filled.ids("Patient", "name=Bo") == []
    assert filled.ids("Patient", "_has:Observation:subject:code=x") == []
    assert filled.page("Observation", "_include=Observation:subject").included == []
