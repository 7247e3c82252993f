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


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("_contained=true", [("o", None)]),
        ("_contained=true&name=Bo", [("o", None)]),
        ("_contained=true&name=Another", []),
        ("_contained=both", [("o", None), ("p", None)]),
        ("_contained=both&name=Another", [("p", None)]),
        ("_contained=true&_containedType=contained", [("o", 0)]),
        ("_contained=both&_containedType=contained", [("o", 0), ("p", None)]),
        ("_contained=true&organization.name=Clinic", [("o", None)]),
        ("_contained=true&gender:missing=true&name:exact=Bo", [("o", None)]),
        ("_contained=true&gender:not=male", [("o", None)]),
        ("_contained=true&_filter=not (name eq Bo)", []),
    ],
)
def test_contained_resources_are_found_or_what_contains_them(
    filled: Any, query: str, found: list[Any]
) -> None:
    page = filled.page("Patient", query)

    seats = page.seats or [None] * len(page.matches)
    shown = zip([one.id for one in page.matches], seats, strict=True)
    assert list(shown) == found
    assert page.total == len(found)
    counted = filled.page("Patient", f"{query}&_summary=count")
    assert (counted.total, counted.matches) == (len(found), ())


def test_a_container_is_found_once_and_each_of_its_contained_ones(library: Any) -> None:
    two = [{**PATIENT, "id": one} for one in "ab"]
    library.put({**OBSERVATION, "contained": two, "subject": {"reference": "#a"}})

    whole = library.page("Patient", "_contained=true&name=Bo")
    each = library.page("Patient", "_contained=true&name=Bo&_containedType=contained")

    assert [one.id for one in whole.matches] == ["o"]
    assert [one.id for one in each.matches] == ["o", "o"]
    assert sorted(each.seats) == [0, 1]


def test_pages_of_contained_resources_have_each_of_them_once(library: Any) -> None:
    for number in range(5):
        inside = [{**PATIENT, "id": str(n)} for n in range(2)]
        library.put({**OBSERVATION, "id": f"o{number}", "contained": inside})
        library.put({**PATIENT, "id": f"p{number}"})
    query = "_contained=both&_containedType=contained&name=Bo&_count=4"

    found: list[Any] = []
    page = library.page("Patient", query)
    while True:
        found += zip([one.id for one in page.matches], page.seats, strict=True)
        if page.next is None:
            break
        page = library.page("Patient", f"{query}&_cursor={page.next}")

    assert len(found) == len(set(found)) == 15


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("_contained=true&_sort=name", "together with _sort"),
        ("_contained=both&_include=Patient:organization", "together with _include"),
        ("_id=p&_contained=true", "'_id' cannot be asked of contained"),
        ("_lastUpdated=gt2000&_contained=both", "'_lastUpdated' cannot be asked"),
        ("_contained=true&_has:Observation:subject:code=x", "cannot be asked"),
    ],
)
def test_what_cannot_be_asked_of_contained_resources_is_refused_by_name(
    filled: Any, query: str, says: str
) -> None:
    with pytest.raises(NotSupported, match=says):
        filled.page("Patient", query)


def test_a_lenient_search_leaves_out_what_contained_resources_have_not(
    filled: Any,
) -> None:
    query = "_contained=true&_id=p&_sort=name&_include=Patient:organization"

    page = filled.page("Patient", query, handling="lenient")

    assert [one.id for one in page.matches] == ["o"]
    told = [one.diagnostics for one in page.issues]
    assert "ignored: '_id'" in told[0]
    assert "together with _sort" in told[1]
    assert "together with _include" in told[2]
    assert page.used == (("_contained", "true"),)


def test_contained_resources_are_in_no_compartment(filled: Any) -> None:
    with pytest.raises(NotSupported, match="are in no compartment"):
        filled.page("Patient", "_contained=true", compartment=("Patient", "p"))


def test_only_what_a_service_has_is_looked_into(filled: Any) -> None:
    filled.offer("Patient", {"name"})

    assert filled.ids("Patient", "_contained=true&name=Bo") == []


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


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("subject:Patient.organization.name=Ward", ["o"]),
        ("subject:Patient.organization.name=Other", []),
        ("subject:Patient.organization.partof.name=House", ["o"]),
        ("subject:Patient.organization.partof.name:missing=true", []),
        ("_filter=subject.organization.partof.name eq House", ["o"]),
        ("_filter=not (subject.organization.name eq Ward)", ["alone"]),
    ],
)
def test_a_chain_goes_from_one_contained_resource_to_the_next(
    library: Any, query: str, found: list[str]
) -> None:
    def organization(identity: str, name: str, **more: Any) -> dict[str, Any]:
        return {
            "resourceType": "Organization",
            "id": identity,
            "name": name,
            **more,
        }

    contained = [
        {**PATIENT, "managingOrganization": {"reference": "#w"}},
        organization("w", "Ward", partOf={"reference": "#h"}),
        organization("x", "Other"),
        organization("h", "House"),
    ]
    library.put(
        {**OBSERVATION, "contained": contained},
        # Neighbours are those in the same resource only.
        {**OBSERVATION, "id": "alone", "contained": contained[:1]},
        organization("w", "Other"),
    )

    assert library.ids("Observation", query) == found
    assert library.ids("Observation", f"{query}&_sort=code") == found
    if query.startswith("subject:"):
        asked = query.removeprefix("subject:Patient.")
        page = library.page("Patient", f"{asked}&_contained=true")
        assert [one.id for one in page.matches] == found


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
