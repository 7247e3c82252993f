"""``_filter`` on both databases."""

from typing import Any
from urllib.parse import urlencode

import pytest

from fyr.core.errors import Invalid, NotSupported
from fyr.search.understanding.filters import DEEPEST

from .found import found


@pytest.fixture
def filled(library: Any) -> Any:
    quantity = {"value": 70, "unit": "kg"}
    library.put(
        {
            "resourceType": "Patient",
            "id": "anna",
            "name": [{"family": "Sørensen", "given": ["Anna", "Pet, Jr"]}],
            "birthDate": "1980-05-17",
            "gender": "female",
            "identifier": [{"system": "http://s", "value": "1"}],
            "active": True,
        },
        {
            "resourceType": "Patient",
            "id": "bo",
            "name": [{"family": "Petersen"}],
            "birthDate": "1990",
            "gender": "male",
            "identifier": [{"value": "1"}, {"value": "2"}],
        },
        {"resourceType": "Patient", "id": "none"},
        {
            "resourceType": "Observation",
            "id": "weight",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
            "subject": {"reference": "Patient/anna"},
            "effectivePeriod": {"start": "2024-01-10", "end": "2024-01-20"},
            "valueQuantity": quantity,
        },
        {
            "resourceType": "Observation",
            "id": "height",
            "status": "draft",
            "subject": {"reference": "Patient/bo"},
        },
        {"resourceType": "ValueSet", "id": "vs", "url": "http://x/vs"},
    )
    return library


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ('name co "pet"', ["anna", "bo"]),
        ("family sw pet", ["bo"]),
        ("family ew sen", ["anna", "bo"]),
        ('family eq "SØRENSEN"', ["anna"]),
        ("family eq pet", []),
        ('given eq "pet, jr"', ["anna"]),
        ("given ne anna", ["anna"]),
        ("family gt q", ["anna"]),
        ("family le petersen", ["bo"]),
        ("family pr true", ["anna", "bo"]),
        ("family pr false", ["none"]),
        ("gender eq male", ["bo"]),
        ("gender ne male", ["anna"]),
        ("not (gender eq male)", ["anna", "none"]),
        ("identifier eq http://s|1", ["anna"]),
        ("identifier eq |1", ["bo"]),
        ("identifier ne 1", ["bo"]),
        ("birthdate ge 1985", ["bo"]),
        ("birthdate eq 1980-05", ["anna"]),
        ("birthdate po 1980-05-17T12:00:00Z", ["anna"]),
        ("birthdate eq 1980-05-17T12:00:00Z", []),
        ("_id eq anna or _id eq bo", ["anna", "bo"]),
        ("_has:Observation:subject:status eq draft", ["bo"]),
        ("not (_has:Observation:subject:status pr true)", ["none"]),
        ("_has:Observation:patient:code eq 29463-7 and gender eq female", ["anna"]),
        ("_has:Observation:subject:subject.family eq petersen", ["bo"]),
        ("_id ne anna", ["bo", "none"]),
        ("_id pr true", ["anna", "bo", "none"]),
        ("_id pr false", []),
        ("_lastUpdated ge 1970 and family sw s", ["anna"]),
        ("_lastUpdated pr true", ["anna", "bo", "none"]),
        ("family sw s or gender eq male", ["anna", "bo"]),
        ("family sw s or not (gender pr true)", ["anna", "none"]),
        (
            "(family sw s and gender eq female) or (family sw x and active eq true)",
            ["anna"],
        ),
    ],
)
def test_patients_are_found_by_a_filter(filled: Any, text: str, ids: list[str]) -> None:
    assert found(filled, "Patient", text) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("code eq http://loinc.org|29463-7", ["weight"]),
        ("subject.name co pet", ["height", "weight"]),
        ("subject.birthdate lt 1985 or status eq draft", ["height", "weight"]),
        ("subject[gender eq female].name co pet", ["weight"]),
        ("subject[gender eq male].name co sør", []),
        ("subject re Patient/anna", ["weight"]),
        ("patient eq http://here/fhir/Patient/anna", ["weight"]),
        ("subject ne Patient/anna", ["height"]),
        ("patient ne Patient/anna", ["height"]),
        ("date po 2024-01-15", ["weight"]),
        ("date po 2024-02", []),
        ("date sa 2024-01-09", ["weight"]),
        ("value-quantity gt 69.5||kg", ["weight"]),
        ("value-quantity lt 70", []),
        ("subject._id eq bo", ["height"]),
        ("not (subject.gender eq male)", ["weight"]),
        ("code-value-quantity eq 29463-7$gt69.5||kg", ["weight"]),
        ("code-value-quantity eq 29463-7$gt70.5||kg", []),
        ("code-value-quantity pr false", ["height"]),
        ("not (code-value-quantity pr true) or status eq final", ["height", "weight"]),
        ("subject._has:Observation:subject:status eq draft", ["height"]),
    ],
)
def test_observations_are_found_by_a_filter(
    filled: Any, text: str, ids: list[str]
) -> None:
    assert found(filled, "Observation", text) == ids


def test_a_place_is_filtered_by_how_near_it_is(library: Any) -> None:
    position = {"latitude": 55.68, "longitude": 12.57}
    library.put(
        {"resourceType": "Location", "id": "here", "position": position},
        {"resourceType": "Location", "id": "nowhere"},
    )

    assert found(library, "Location", "near eq 55.7|12.5|10|km") == ["here"]
    assert found(library, "Location", "near eq 57|10") == []
    assert found(library, "Location", "not (near eq 57|10)") == ["here", "nowhere"]
    assert found(library, "Location", "near pr false") == ["nowhere"]


def test_a_uri_is_filtered_as_it_is(filled: Any) -> None:
    assert found(filled, "ValueSet", "url eq http://x/vs") == ["vs"]
    assert found(filled, "ValueSet", "url ne http://x/vs") == []


def test_codes_are_filtered_by_hierarchies_and_value_sets(library: Any) -> None:
    library.put(
        {
            "resourceType": "CodeSystem",
            "id": "cs",
            "url": "http://c",
            "status": "active",
            "content": "complete",
            "concept": [{"code": "a", "concept": [{"code": "b"}]}, {"code": "c"}],
        },
        {
            "resourceType": "ValueSet",
            "id": "vs",
            "url": "http://v",
            "status": "active",
            "compose": {
                "include": [{"system": "http://c", "concept": [{"code": "b"}]}]
            },
        },
        *(
            {
                "resourceType": "Observation",
                "id": code,
                "code": {"coding": [{"system": "http://c", "code": code}]},
            }
            for code in "abc"
        ),
    )

    assert found(library, "Observation", "code ss http://c|a") == ["a", "b"]
    assert found(library, "Observation", "code sb http://c|b") == ["a", "b"]
    assert found(library, "Observation", "code in http://v") == ["b"]
    assert found(library, "Observation", "code ni http://v") == ["a", "c"]


def test_a_filter_stands_beside_other_criteria_and_in_compartments(filled: Any) -> None:
    query = urlencode({"_filter": "name co pet", "gender": "male", "_sort": "family"})
    assert filled.ids("Patient", query) == ["bo"]
    twice = urlencode([("_filter", "name co pet"), ("_filter", "family sw s")])
    assert filled.ids("Patient", twice) == ["anna"]
    mine = ("Patient", "anna")
    assert found(filled, "Observation", "status pr true", compartment=mine) == [
        "weight"
    ]
    assert found(filled, None, "_lastUpdated ge 1970 and _id eq vs") == ["vs"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("subject ss x", "operator 'ss' cannot be answered for 'subject' .reference."),
        ("date in http://x", "there are: eq, ne, gt, lt, ge, le, ap, sa, eb, po, pr"),
        ("date co 2020", "'co' cannot be answered for 'date'"),
        ("cod eq x", "did you mean 'code'"),
        ("status.name eq x", "'status' .token. is no reference"),
        ("subject.nme eq x", "nothing that 'subject' leads to has nme"),
        ("subject[nme eq x].name eq y", "has name, nme"),
        ("_text eq x", "'_text' stands beside a filter"),
        ("_content co x", "'_content' stands beside a filter"),
        ("_list eq 1", "'_list' stands beside a filter"),
        ("code co x", "operator 'co' cannot be answered for 'code' .token."),
        ("code sw x", "'sw' cannot be answered for 'code'"),
        ("code-value-quantity ne a$1", "there are: eq, pr"),
        ("_has:Observaton:subject:code eq x", "did you mean 'Observation'"),
        ("_has:Observation:status:code eq x", "'status' of Observation is no ref"),
    ],
)
def test_what_a_filter_cannot_ask_is_named(library: Any, text: str, says: str) -> None:
    with pytest.raises(NotSupported, match=says):
        found(library, "Observation", text)


@pytest.mark.parametrize(
    "text",
    [
        "date eq x",
        "date eq ge2020",
        "value-quantity eq x",
        "code pr maybe",
        "code-value-quantity eq x",
        "_has eq x",
        "_has:Observation:subject: eq x",
        'code eq ""',
    ],
)
def test_a_value_of_another_type_is_refused(library: Any, text: str) -> None:
    with pytest.raises(Invalid):
        found(library, "Observation", text)


def test_a_lenient_search_leaves_out_what_it_cannot_answer(filled: Any) -> None:
    page = filled.page("Patient", "_filter=gender+sa+x", handling="lenient")

    assert len(page.matches) == 3
    assert page.used == ()
    assert "ignored: _filter: operator 'sa'" in page.issues[0].diagnostics


def test_the_deepest_filter_is_answered(filled: Any) -> None:
    deep = "not (gender eq male)"
    for number in range(DEEPEST - 1):
        deep = f"({deep} {'and' if number % 2 else 'or'} subject pr true)".replace(
            "subject", "family"
        )
    assert found(filled, "Patient", deep)


def test_a_service_hides_parameters_in_filters_and_sorts_too(filled: Any) -> None:
    filled.offer("Patient", {"family", "_filter"})
    for query in ({"_filter": "gender eq male"}, {"_sort": "-gender"}):
        params = tuple(query.items())
        with pytest.raises(
            NotSupported, match="small offers no search parameter 'gender'"
        ):
            filled.page("Patient", urlencode(params))
    assert found(filled, "Patient", "family sw s") == ["anna"]
