"""What finds what: https://hl7.org/fhir/R4/search.html."""

from typing import Any

import pytest

from fyr.core.errors import Invalid, NotSupported


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "anna bo cy"),
        ("_id=anna,cy", "anna cy"),
        ("_tag=http://tags|vip", "anna"),
        ("_profile=http://profiles/citizen", "anna"),
        ("_source=http://source/1", "anna"),
        ("_lastUpdated=2023-11-14", "anna bo cy"),
        ("_lastUpdated=gt2023-11-14", ""),
        ("_lastUpdated=ge2023-11-14T22:13:20Z", "anna bo cy"),
        ("identifier=0101", "anna bo"),
        ("identifier=urn:oid:1|0101", "anna"),
        ("identifier=urn:oid:1|", "anna"),
        ("identifier=|0101", "bo"),
        ("identifier=0101,x&gender=male", "bo"),
        ("gender=male,female", "anna bo"),
        ("gender=http://hl7.org/fhir/administrative-gender|male", "bo"),
        ("gender:not=male", "anna cy"),
        ("gender:missing=true", "cy"),
        ("gender:missing=false", "anna bo"),
        ("active=true", "anna"),
        ("deceased=true", "bo"),
        ("deceased=false", "anna cy"),
        ("phone=1234", "anna"),
        ("telecom=phone|1234", "anna"),
        ("email=1234", ""),
        ("family=søren", "anna"),
        ("family=soren", ""),
        ("family=MULL", "bo"),
        ("family:exact=Müller", "bo"),
        ("family:exact=Muller", ""),
        ("family:contains=ller", "bo"),
        ("name=anna&name=marie", "anna"),
        (r"name=cy\, the", "cy"),
        ("birthdate=1980", "anna bo"),
        ("birthdate=1980-05", "anna"),
        ("birthdate=lt1980-05-02", "bo"),
        ("birthdate=gt1980-05-02", "bo"),
        ("birthdate=le1980-05-02", "anna bo"),
        ("birthdate=ne1980", ""),
        ("birthdate=sa1979", "anna bo"),
        ("birthdate=eb1981-01", "anna bo"),
        ("birthdate=ap1981", "anna bo"),
        ("organization=north", "anna"),
        ("organization=Organization/north", "anna"),
        ("organization=http://here/fhir/Organization/north", "anna"),
        ("organization=http://far.example/Organization/north", "bo"),
        ("organization:Organization=north", "anna"),
        ("organization:missing=true", "cy"),
        ("general-practitioner:identifier=urn:yderid|77", "anna"),
        ("general-practitioner:missing=false", "anna"),
        ("organization.name=nor", "anna"),
        ("organization:Organization.name=nor", "anna"),
        ("_has:Observation:subject:code=29463-7", "anna"),
        ("_has:Encounter:patient:class=AMB", "anna"),
        ("_has:Observation:subject:_id=height&gender=male", "bo"),
    ],
)
def test_patients_are_found(filled: Any, query: str, found: str) -> None:
    assert filled.ids("Patient", query) == found.split()


@pytest.mark.parametrize(
    ("kind", "query", "found"),
    [
        ("Observation", "patient=anna", "weight"),
        ("Observation", "subject:Patient.family=søren", "weight"),
        ("Observation", "patient.organization.name=north", "weight"),
        ("Observation", "patient._has:Encounter:subject:class=AMB", "weight"),
        ("Observation", "value-quantity=72.5", "weight"),
        ("Observation", "value-quantity=72", ""),
        ("Observation", "value-quantity=7e1||kg", "weight"),
        ("Observation", "value-quantity=72.5||kilo", "weight"),
        ("Observation", "value-quantity=72.5|http://unitsofmeasure.org|kg", "weight"),
        ("Observation", "value-quantity=gt500", "height"),
        ("Observation", "value-quantity=lt100", "weight"),
        ("Observation", "value-quantity=ap75", "weight"),
        ("Observation", "date=ge2024-06", "weight"),
        ("Observation", "date=lt2024-01-08", "height"),
        ("Observation", "combo-code=8302-2", "height"),
        ("RiskAssessment", "probability=0.25", "risk"),
        ("RiskAssessment", "probability=gt0.25", ""),
        ("RiskAssessment", "probability=ge0.25", "risk"),
        ("RiskAssessment", "probability=ne0.3", ""),
        ("RiskAssessment", "probability=ne0.4", "risk"),
        ("ValueSet", "url=http://vs/colours", "colours"),
        ("ValueSet", "reference=http://c", "colours"),
    ],
)
def test_other_types_are_found(filled: Any, kind: str, query: str, found: str) -> None:
    assert filled.ids(kind, query) == found.split()


def test_all_types_are_searched_together(filled: Any) -> None:
    assert filled.ids(None, "_id=anna,north,weight") == ["anna", "north", "weight"]
    assert filled.ids(None, "_type=Organization,Encounter") == ["north", "visit"]
    assert filled.ids(None, "_tag=vip") == ["anna"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("_id", "anna bo cy"),
        ("-_id", "cy bo anna"),
        ("family", "bo anna cy"),
        ("-family", "anna bo cy"),
        ("birthdate", "bo anna cy"),
        ("-birthdate", "anna bo cy"),
        ("gender,-_id", "anna bo cy"),
        ("-_lastUpdated,_id", "anna bo cy"),
    ],
)
def test_matches_are_sorted_and_missing_values_come_last(
    filled: Any, sort: str, order: str
) -> None:
    pages = filled.all_pages("Patient", f"_sort={sort}&_count=1")

    assert [one.id for page in pages for one in page] == order.split()
    assert filled.ids("Patient", f"_sort={sort}") == order.split()


def test_a_total_is_counted_when_asked_for(filled: Any) -> None:
    assert filled.page("Patient", "_count=1&_total=accurate").total == 3
    assert filled.page("Patient", "_count=1&_total=estimate").total == 3
    assert filled.page("Patient", "_count=1").total is None
    assert filled.page("Patient", "").total == 3
    assert filled.page("Patient", "_total=none").total is None


@pytest.mark.parametrize("query", ["_summary=count", "_count=0"])
def test_only_the_number_is_told_when_only_that_is_asked(
    filled: Any, query: str
) -> None:
    page = filled.page("Patient", f"gender=male&{query}")

    assert (page.total, page.matches) == (1, ())


@pytest.mark.parametrize(
    ("query", "included"),
    [
        ("_include=Observation:subject", ["anna"]),
        ("_include=Observation:subject:Patient", ["anna"]),
        ("_include=Observation:subject:Group", []),
        ("_include=Observation:*", ["anna"]),
        ("_include=*", ["anna"]),
    ],
)
def test_what_a_match_refers_to_is_included_once(
    filled: Any, query: str, included: list[str]
) -> None:
    page = filled.page("Observation", f"_id=weight&{query}&{query}")

    assert [one.id for one in page.included] == included


def test_what_refers_to_a_match_is_included(filled: Any) -> None:
    page = filled.page(
        "Patient", "_id=anna&_revinclude=Observation:subject&_revinclude=Encounter:*"
    )

    assert [(one.type, one.id) for one in page.included] == [
        ("Observation", "weight"),
        ("Encounter", "visit"),
    ]


def test_a_deleted_resource_is_not_found(library: Any) -> None:
    (stored,) = library.put({"resourceType": "Patient", "id": "x", "active": True})
    library.change(None, stored)

    assert library.ids("Patient", "active=true") == []
    assert library.ids("Patient", "active:missing=true") == []
    assert library.ids("Patient", "_id=x") == []


def test_a_changed_resource_is_found_by_its_new_values(library: Any) -> None:
    (stored,) = library.put({"resourceType": "Patient", "id": "x", "gender": "male"})
    library.change({"resourceType": "Patient", "id": "x", "gender": "other"}, stored)

    assert library.ids("Patient", "gender=male") == []
    assert library.ids("Patient", "gender=other") == ["x"]


def test_all_problems_of_a_query_are_told_together(library: Any) -> None:
    with pytest.raises(NotSupported) as refused:
        library.page("Patient", "gendr=male&nme=x&birthdate=x")

    assert len(refused.value.issues) == 3


def test_a_lenient_search_says_what_it_ignored(filled: Any) -> None:
    page = filled.page("Patient", "gendr=male&_id=bo", handling="lenient")

    assert [one.id for one in page.matches] == ["bo"]
    assert page.used == (("_id", "bo"),)
    assert [issue.severity for issue in page.issues] == ["warning"]


def test_a_lenient_search_does_not_guess_at_values(filled: Any) -> None:
    with pytest.raises(Invalid):
        filled.page("Patient", "birthdate=x", handling="lenient")


def test_criteria_find_at_most_two(filled: Any) -> None:
    def found(query: str) -> int:
        return len(
            filled.database.read(
                lambda session: filled.engine.criteria(
                    session, filled.context("Patient"), "Patient", query
                )
            )
        )

    assert [found(f"_id={ids}") for ids in ("x", "bo", "bo,cy", "anna,bo,cy")] == [
        0,
        1,
        2,
        2,
    ]
    for query in ("", "_count=1&_id=bo", "_cursor=x"):
        with pytest.raises((Invalid, NotSupported)):
            found(query)


def test_very_long_values_are_kept_and_found(library: Any) -> None:
    long = "å" * 5000
    library.put(
        {
            "resourceType": "Patient",
            "id": "x",
            "identifier": [{"value": long}],
            "name": [{"family": long}],
            "generalPractitioner": [{"reference": f"http://far/{long}"}],
        }
    )

    assert library.ids("Patient", f"identifier={long}") == ["x"]
    assert library.ids("Patient", f"identifier={long}a") == []
    assert library.ids("Patient", f"family={long[:100]}") == ["x"]
    assert library.ids("Patient", f"general-practitioner=http://far/{long}") == ["x"]
