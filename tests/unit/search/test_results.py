"""What a search answers, and how: https://hl7.org/fhir/R4/search.html#return."""

from typing import Any

import pytest

from fyr.core.errors import Invalid, NotSupported
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.search.finding import pages

Resource = dict[str, Any]
#: Parameters of all types, with a value that each may have.
COMMON = {
    "_id": "x",
    "_lastUpdated": "ge1970",
    "_tag": "http://t|x",
    "_profile": "http://p",
    "_security": "x",
    "_source": "http://s",
}


def patient(identity: str, **more: Any) -> Resource:
    return {"resourceType": "Patient", "id": identity, **more}


def named(identity: str, family: str, birth: str = "") -> Resource:
    made = patient(identity, name=[{"family": family}])
    return {**made, "birthDate": birth} if birth else made


@pytest.fixture
def filled(library: Any) -> Any:
    library.put(
        named("a", "berg", "1980"),
        named("b", "berg", "1990"),
        named("c", "dahl"),
        patient("d"),
        {"resourceType": "Observation", "id": "o", "effectiveDateTime": "2024"},
        {"resourceType": "Encounter", "id": "e", "period": {"start": "2025"}},
    )
    return library


@pytest.mark.parametrize(
    ("sort", "ids"),
    [
        ("family", "abcd"),
        ("-family", "cbad"),
        ("birthdate", "abcd"),
        ("-birthdate", "badc"),
        ("family,-birthdate", "bacd"),
        ("-family,birthdate", "cabd"),
        ("-_id", "dcba"),
        ("family,-_id", "bacd"),
    ],
)
def test_a_page_is_sorted_and_missing_values_come_last(
    filled: Any, sort: str, ids: str
) -> None:
    found = filled.ids("Patient", f"_sort={sort}")

    # Equal ones stand in the order of pids, in the direction of the last key.
    assert "".join(found) == ids
    assert [
        one.id
        for page in filled.all_pages("Patient", f"_sort={sort}&_count=1")
        for one in page
    ] == found


def test_several_types_are_sorted_by_what_some_of_them_have(filled: Any) -> None:
    kinds = "_type=Observation,Encounter,Patient"

    assert filled.ids(None, f"{kinds}&_sort=date")[:2] == ["o", "e"]
    assert filled.ids(None, f"{kinds}&_sort=-date")[:2] == ["e", "o"]
    assert len(filled.ids(None, f"{kinds}&_sort=-_lastUpdated,date")) == 6


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("_sort=famly", "did you mean 'family'"),
        ("_inclde=Patient:organization", "did you mean '_include'"),
        ("_sumary=true", "did you mean '_summary'"),
        ("_tga=x", "did you mean '_tag'"),
        ("_fitler=x", "did you mean '_filter'"),
        ("_count:exact=1", "_count has no modifier 'exact'"),
    ],
)
def test_what_is_unknown_is_named_with_its_neighbour(
    filled: Any, query: str, says: str
) -> None:
    with pytest.raises(NotSupported, match=says):
        filled.page("Patient", query)
    # A lenient search goes on without it, and says so.
    page = filled.page("Patient", query, handling="lenient")
    assert (len(page.matches), page.used) == (4, ())
    assert says in page.issues[0].diagnostics
    assert page.issues[0].severity == "warning"


def test_what_would_widen_a_search_is_refused_to_lenient_ones_too(filled: Any) -> None:
    for query in ("_type=Patint", "_type=", "_type=Patient,Foo"):
        with pytest.raises(NotSupported, match="_type: "):
            filled.page(None, query, handling="lenient")
    with pytest.raises(Invalid, match="more than 10"):
        filled.page("Patient", "_sort=" + ",".join(["family"] * 11))


def test_every_type_has_the_common_parameters(library: Any) -> None:
    query = "&".join(f"{name}={value}" for name, value in COMMON.items())
    for kind in sorted(RESOURCE_TYPES):
        assert library.ids(kind, query) == []
    assert library.ids(None, query) == []


def test_the_common_parameters_find_resources_of_all_types(library: Any) -> None:
    meta = {
        "tag": [{"system": "http://t", "code": "x"}],
        "security": [{"code": "x"}],
        "profile": ["http://p"],
        "source": "http://s",
    }
    library.put(
        patient("x", meta=meta),
        {"resourceType": "Binary", "id": "x", "contentType": "a/b", "meta": meta},
        patient("y"),
    )

    for name, value in COMMON.items():
        expected = ["x", "x", "y"] if name == "_lastUpdated" else ["x", "x"]
        assert sorted(library.ids(None, f"{name}={value}")) == expected, name


@pytest.mark.parametrize("total", ["accurate", "estimate"])
def test_a_total_is_told_when_it_is_asked_for(filled: Any, total: str) -> None:
    assert filled.page("Patient", "_count=1").total is None
    assert filled.page("Patient", f"_count=1&_total={total}").total == 4
    assert filled.page("Patient", "_total=none").total is None
    assert filled.page("Patient", "_count=0").total == 4
    assert filled.page("Patient", "_count=0").matches == ()


def test_a_large_total_is_estimated_where_the_database_can(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.put(*(named(f"p{number}", "berg") for number in range(300)))
    monkeypatch.setattr(pages, "MANY", 50)

    for query in ("family=berg", "", "family=berg&gender:not=male"):
        page = library.page("Patient", f"{query}&_total=estimate&_count=1")
        assert page.total == 300 or library.database.dialect == "postgresql"
        assert page.total > 0


@pytest.mark.parametrize(
    ("query", "elements"),
    [
        ("_elements=name,birthDate", "name,birthDate"),
        ("_elements=Patient.name", "Patient.name"),
        ("_elements=deceased&_elements=id", "deceased,id"),
        ("_elements=Observation.status&_revinclude=Observation:subject", None),
    ],
)
def test_elements_of_what_is_shown_are_taken(
    filled: Any, query: str, elements: str | None
) -> None:
    page = filled.page("Patient", query)

    assert page.show["_elements"] == (elements or "Observation.status")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("naem", "_elements: 'naem' is no element .* did you mean 'name'"),
        ("name,status", "'status' is no element"),
        ("Observation.status", "'Observation.status' is no element"),
        ("name.family", "'name.family' is no element"),
    ],
)
def test_elements_that_are_none_are_refused(filled: Any, value: str, says: str) -> None:
    with pytest.raises(NotSupported, match=says):
        filled.page("Patient", f"_elements={value}")


def test_a_lenient_search_keeps_the_elements_and_keys_that_there_are(
    filled: Any,
) -> None:
    query = "_elements=name,naem&_sort=-family,nme,_id"

    page = filled.page("Patient", query, handling="lenient")

    assert [one.id for one in page.matches] == ["c", "a", "b", "d"]
    assert page.used == (("_elements", "name"), ("_sort", "-family,_id"))
    assert page.show == {"_elements": "name"}
    told = [one.diagnostics for one in page.issues]
    assert ["'naem'" in told[0], "'nme'" in told[1]] == [True, True]


def test_all_wrong_keys_are_told(filled: Any) -> None:
    with pytest.raises(NotSupported) as refused:
        filled.page("Patient", "_sort=nme,family,brthdate")

    assert len(refused.value.issues) == 2
