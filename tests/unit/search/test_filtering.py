"""``_filter`` and ``_list`` on both databases, and against a naive reading of filters."""

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fyr.core.errors import Invalid, NotSupported
from fyr.search.understanding.filters import (
    DEEPEST,
    Comparison,
    Expression,
    Joined,
    Negation,
    Step,
    Value,
    written,
)

Resource = dict[str, Any]


def found(library: Any, kind: str | None, text: str, **more: Any) -> list[str]:
    return sorted(library.ids(kind, urlencode({"_filter": text}), **more))


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


def test_a_list_finds_what_is_on_it_and_was_not_deleted(library: Any) -> None:
    def entry(reference: str, **more: Any) -> Resource:
        return {"item": {"reference": reference}, **more}

    library.put(
        *({"resourceType": "Patient", "id": one} for one in ("a", "b", "c", "d")),
        {"resourceType": "Observation", "id": "a"},
        {
            "resourceType": "List",
            "id": "42",
            "entry": [
                entry("Patient/a"),
                entry("Patient/b", deleted=True),
                entry("Patient/c", deleted=False),
                entry("Observation/a"),
            ],
        },
        {"resourceType": "List", "id": "43", "entry": [entry("Patient/d")]},
    )

    assert library.ids("Patient", "_list=42") == ["a", "c"]
    assert library.ids("Patient", "_list=42,43") == ["a", "c", "d"]
    assert library.ids("Patient", "_list=42&_list=43") == []
    assert library.ids("Patient", "_list=none") == []
    assert library.ids(None, "_list=42&_type=Observation") == ["a"]
    # The parameter of List itself sees every entry.
    assert library.ids("List", "item=Patient/b") == ["42"]


def test_has_finds_only_what_is_searched(library: Any) -> None:
    library.put(
        {"resourceType": "Patient", "id": "a"},
        {"resourceType": "Group", "id": "a"},
        *(
            {
                "resourceType": "Observation",
                "id": f"of-{kind}",
                "status": "final",
                "subject": {"reference": f"{kind}/a"},
            }
            for kind in ("Patient", "Group")
        ),
    )

    page = library.page("Patient", "_has:Observation:subject:status=final")
    assert [(one.type, one.id) for one in page.matches] == [("Patient", "a")]


def test_lists_that_are_not_kept_are_named(library: Any) -> None:
    with pytest.raises(
        NotSupported, match=r"'\$current-allergies' is a functional list"
    ):
        library.page("Patient", "_list=$current-allergies")
    with pytest.raises(Invalid, match="_list is the id of a List"):
        library.page("Patient", "_list=List/42")


FAMILIES = ["alpha", "beta", "beta gamma", "Alpha"]
PATIENTS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.lists(
                st.sampled_from(FAMILIES).map(lambda one: {"family": one}),
                min_size=1,
                max_size=2,
            ),
            "gender": st.sampled_from(["male", "female"]),
            "birthDate": st.sampled_from(["1980-01-01", "1990-01-01", "2000-01-01"]),
            # Of observations of this patient.
            "_statuses": st.lists(st.sampled_from(["final", "draft"]), max_size=2),
        },
    ),
    max_size=5,
)
STRINGS = st.builds(
    Comparison,
    st.just((Step("family"),)),
    st.sampled_from("eq ne co sw ew gt lt ge le".split()),
    st.sampled_from(["alpha", "beta", "a", "ma", "gamma"]).map(Value),
)
TOKENS = st.builds(
    Comparison,
    st.just((Step("gender"),)),
    st.sampled_from(["eq", "ne"]),
    st.sampled_from(["male", "female"]).map(Value),
)
DATES = st.builds(
    Comparison,
    st.just((Step("birthdate"),)),
    st.sampled_from("eq ne gt lt ge le sa eb po".split()),
    st.sampled_from(["1980-01-01", "1990-01-01"]).map(Value),
)
PRESENT = st.builds(
    Comparison,
    st.sampled_from(["family", "gender", "birthdate"]).map(lambda one: (Step(one),)),
    st.just("pr"),
    st.sampled_from(["true", "false"]).map(Value),
)
STATUSES = ["final", "draft"]
REFERRED = st.builds(
    Comparison,
    st.just((Step("_has:Observation:subject"), Step("status"))),
    st.sampled_from(["eq", "ne"]),
    st.sampled_from(STATUSES).map(Value),
)
FILTERS: st.SearchStrategy[Expression] = st.recursive(
    STRINGS | TOKENS | DATES | PRESENT | REFERRED,
    lambda inner: (
        st.builds(
            Joined,
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3).map(tuple),
        )
        | st.builds(Negation, inner)
    ),
    max_leaves=6,
)


def values(resource: Resource, name: str) -> list[str]:
    if name == "_has:Observation:subject":
        return [str(one) for one in resource.get("_statuses", ())]
    if name == "family":
        return [one["family"].lower() for one in resource.get("name", [])]
    element = {"gender": "gender", "birthdate": "birthDate"}[name]
    return [resource[element]] if element in resource else []


def meets(value: str, operator: str, wanted: str) -> bool:
    return {
        "eq": value == wanted,
        "po": value == wanted,
        "ne": value != wanted,
        "co": wanted in value,
        "sw": value.startswith(wanted),
        "ew": value.endswith(wanted),
        "gt": value > wanted,
        "sa": value > wanted,
        "lt": value < wanted,
        "eb": value < wanted,
        "ge": value >= wanted,
        "le": value <= wanted,
    }[operator]


def holds(expression: Expression, resource: Resource) -> bool:
    match expression:
        case Comparison(((Step(name)), *_), operator, Value(wanted)):
            there = values(resource, name)
            if operator == "pr":
                return bool(there) == (wanted == "true")
            return any(meets(one, operator, wanted) for one in there)
        case Joined(word, parts):
            told = [holds(one, resource) for one in parts]
            return all(told) if word == "and" else any(told)
        case Negation(part):
            return not holds(part, resource)
    raise AssertionError(expression)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(PATIENTS, st.lists(FILTERS, min_size=1, max_size=4))
def test_a_filter_finds_what_a_look_at_each_resource_finds(
    library: Any, contents: list[Resource], expressions: list[Expression]
) -> None:
    library.empty()
    patients = [
        {"resourceType": "Patient", "id": f"p{number}", **content}
        for number, content in enumerate(contents)
    ]
    observations = [
        {
            "resourceType": "Observation",
            "id": f"{one['id']}-{number}",
            "status": status,
            "subject": {"reference": f"Patient/{one['id']}"},
        }
        for one in patients
        for number, status in enumerate(one.get("_statuses", ()))
    ]
    library.put(*patients, *observations)

    for expression in expressions:
        expected = [one["id"] for one in patients if holds(expression, one)]
        text = written(expression)
        assert found(library, "Patient", text) == expected, text
