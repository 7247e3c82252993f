"""Contained resources: what is asked about them, and what leads to them."""

from typing import Any

import pytest

from fyr.core.errors import Invalid, NotSupported

OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "contained": [{"resourceType": "Patient", "id": "p", "name": [{"text": "Bo"}]}],
    "status": "final",
    "code": {"text": "x"},
    "subject": {"reference": "#p"},
}


@pytest.fixture
def filled(library: Any) -> Any:
    patient = {"resourceType": "Patient", "id": "p", "name": [{"text": "Another"}]}
    library.put(OBSERVATION, patient)
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
        # Neither goes into what is contained, nor out to a namesake of it.
        ("subject:Patient.name=Bo", []),
        ("subject:Patient.name=Another", []),
        ("subject=Patient/p", []),
        ("subject=p", []),
        ("subject:missing=false", ["o"]),
    ],
)
def test_a_reference_to_a_contained_resource_leads_nowhere(
    filled: Any, query: str, found: list[str]
) -> None:
    assert filled.ids("Observation", query) == found


def test_nothing_contained_is_found_as_a_resource_or_included(filled: Any) -> None:
    assert filled.ids("Patient", "name=Bo") == []
    assert filled.ids("Patient", "_has:Observation:subject:code=x") == []
    assert filled.page("Observation", "_include=Observation:subject").included == []
