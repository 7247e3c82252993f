"""``_include`` and ``_revinclude``: https://hl7.org/fhir/R4/search.html#include."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fyr.core.errors import Invalid
from fyr.search.finding import following

Resource = dict[str, Any]


def organization(identity: str, part_of: str = "") -> Resource:
    made: Resource = {"resourceType": "Organization", "id": identity}
    if part_of:
        made["partOf"] = {"reference": f"Organization/{part_of}"}
    return made


def observation(identity: str, **links: str) -> Resource:
    references = {name: {"reference": to} for name, to in links.items()}
    return {"resourceType": "Observation", "id": identity, **references}


def patient(identity: str, organization: str = "") -> Resource:
    made: Resource = {"resourceType": "Patient", "id": identity}
    if organization:
        made["managingOrganization"] = {"reference": f"Organization/{organization}"}
    return made


def included(library: Any, kind: str | None, query: str) -> list[str]:
    return [one.id for one in library.page(kind, query).included]


@pytest.fixture
def filled(library: Any) -> Any:
    library.put(
        organization("top"),
        organization("middle", "top"),
        organization("low", "middle"),
        patient("anna", "low"),
        observation("weight", subject="Patient/anna"),
        observation("of-group", subject="Group/all"),
        {"resourceType": "Group", "id": "all"},
        {
            "resourceType": "Provenance",
            "id": "proof",
            "target": [{"reference": "Observation/weight"}],
        },
    )
    return library


@pytest.mark.parametrize("word", ["iterate", "recurse"])
def test_iterate_follows_what_was_included(filled: Any, word: str) -> None:
    steps = [
        "_id=weight&_include=Observation:subject",
        f"_include:{word}=Patient:organization",
        f"_include:{word}=Organization:partof",
    ]
    found = [
        included(filled, "Observation", "&".join(steps[:number]))
        for number in (1, 2, 3)
    ]

    assert found[0] == ["anna"]
    assert found[1] == ["anna", "low"]
    assert found[2] == ["anna", "low", "middle", "top"]


def test_iterate_goes_backwards_too(filled: Any) -> None:
    query = "_id=low&_revinclude=Patient:organization"
    more = "&_revinclude:iterate=Observation:subject&_revinclude:iterate=Provenance:*"

    assert included(filled, "Organization", query) == ["anna"]
    found = included(filled, "Organization", query + more)
    assert found == ["anna", "weight", "proof"]


def test_without_iterate_only_matches_are_followed(filled: Any) -> None:
    assert included(filled, "Organization", "_id=low&_include=Organization:partof") == [
        "middle"
    ]


def test_everything_that_leads_to_a_match_is_included(filled: Any) -> None:
    assert included(filled, "Organization", "_id=low&_revinclude=*") == ["anna"]
    assert included(filled, "Observation", "_id=weight&_revinclude=*") == ["proof"]
    assert included(filled, "Organization", "_id=low&_include:iterate=*") == [
        "middle",
        "top",
    ]


def test_a_target_type_limits_what_is_followed_in_both_directions(filled: Any) -> None:
    query = "_type=Patient,Group&_revinclude=Observation:subject"

    assert included(filled, None, query) == ["weight", "of-group"]
    assert included(filled, None, f"{query}:Group") == ["of-group"]
    assert included(filled, "Observation", "_include=Observation:subject:Patient") == [
        "anna"
    ]


def test_a_search_of_all_types_includes(filled: Any) -> None:
    query = "_id=weight,anna&_include=Observation:subject&_include=Patient:organization"

    assert included(filled, None, query) == ["low"]


def test_a_cycle_ends(library: Any) -> None:
    library.put(organization("a", "b"), organization("b", "c"), organization("c", "a"))

    found = included(
        library, "Organization", "_id=a&_include:iterate=Organization:partof"
    )
    assert found == ["b", "c"]


def test_canonical_references_are_followed_by_url_and_version(library: Any) -> None:
    def activity(identity: str, version: str) -> Resource:
        url = "http://x/activity"
        kind = "ActivityDefinition"
        return {"resourceType": kind, "id": identity, "url": url, "version": version}

    def plan(identity: str, canonical: str) -> Resource:
        action = [{"definitionCanonical": canonical}]
        return {"resourceType": "PlanDefinition", "id": identity, "action": action}

    library.put(
        activity("one", "1"),
        activity("two", "2"),
        plan("any", "http://x/activity"),
        plan("second", "http://x/activity|2"),
        plan("other", "http://x/other"),
        plan("literal", "ActivityDefinition/one"),
    )
    forward, backward = (
        "_include=PlanDefinition:definition",
        "_revinclude=PlanDefinition",
    )

    def following_of(identity: str) -> list[str]:
        return included(library, "PlanDefinition", f"_id={identity}&{forward}")

    assert following_of("any") == ["one", "two"]
    assert following_of("second") == ["two"]
    assert following_of("other") == []
    assert following_of("literal") == ["one"]
    assert (
        included(library, "PlanDefinition", f"_id=second&{forward}:Questionnaire") == []
    )
    for name in ("definition", "*"):
        query = f"{backward}:{name}"
        found = included(library, "ActivityDefinition", f"_id=one&{query}")
        assert found == ["any", "literal"]
        assert included(library, "ActivityDefinition", f"_id=two&{query}") == [
            "any",
            "second",
        ]


@pytest.mark.parametrize(
    "query",
    [
        "_include=Observation:subject",
        "_revinclude=Observation:subject:Group",
        "_include=Patient",
        "_revinclude=Patient:",
    ],
)
def test_what_could_include_nothing_is_refused(library: Any, query: str) -> None:
    with pytest.raises(Invalid):
        library.page("Patient", query)


def test_too_many_resources_are_cut_and_that_is_said(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MOST_INCLUDED", 3)
    monkeypatch.setattr(following, "MOST_ROUNDS", 2)
    library.put(
        *(organization(str(one), str(one + 1)) for one in range(4)),
        *(patient(f"p{one}", "0") for one in range(5)),
    )

    many = library.page("Organization", "_id=0&_revinclude=Patient:organization")
    far = library.page("Organization", "_id=0&_include:iterate=Organization:partof")
    enough = library.page("Organization", "_id=2&_include:iterate=Organization:partof")

    assert [one.id for one in many.included] == ["p0", "p1", "p2"]
    assert "more than 3 resources" in many.issues[0].diagnostics
    assert [one.id for one in far.included] == ["1", "2"]
    assert "through 2 references" in far.issues[0].diagnostics
    assert enough.issues == ()


def test_a_service_includes_only_the_types_that_it_has(filled: Any) -> None:
    filled.offer("Observation", {"subject", "_id"})

    assert included(filled, "Observation", "_id=weight&_include=*") == []


NUMBERS = st.integers(0, 5)
EDGES = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=12)
RULES = st.lists(
    st.tuples(
        st.sampled_from(["_include", "_revinclude"]),
        st.sampled_from(["", ":iterate"]),
        st.sampled_from(
            ["Organization:partof", "Patient:organization", "Patient:link:Patient"]
        ),
    ),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(EDGES, EDGES, EDGES, RULES, NUMBERS)
def test_includes_reach_what_a_walk_through_the_graph_reaches(
    library: Any, parts: Any, managed: Any, links: Any, rules: Any, begin: int
) -> None:
    library.empty()
    # The last edge of an element that does not repeat is the one that counts.
    part_of, managing = dict(parts), dict(managed)
    edges = {
        "Organization:partof": {(f"o{a}", f"o{b}") for a, b in part_of.items()},
        "Patient:organization": {(f"p{a}", f"o{b}") for a, b in managing.items()},
        "Patient:link:Patient": {(f"p{a}", f"p{b}") for a, b in links},
    }
    for number in range(6):
        person = patient(
            f"p{number}", f"o{managing[number]}" if number in managing else ""
        )
        other = [
            {"other": {"reference": f"Patient/p{b}"}} for a, b in links if a == number
        ]
        part = f"o{part_of[number]}" if number in part_of else ""
        library.put(
            {**person, "link": other} if other else person,
            organization(f"o{number}", part),
        )

    def step(name: str, rule: str, places: set[str]) -> set[str]:
        if name == "_include":
            return {b for a, b in edges[rule] if a in places}
        return {a for a, b in edges[rule] if b in places}

    start = {f"p{begin}", f"o{begin}"}
    reached = set(start)
    for name, _, rule in rules:
        reached |= step(name, rule, start)
    before: set[str] = set()
    while before != reached:
        before = set(reached)
        for name, modifier, rule in rules:
            if modifier:
                reached |= step(name, rule, reached)
    query = "&".join(f"{name}{modifier}={rule}" for name, modifier, rule in rules)

    found = included(
        library, None, f"_type=Patient,Organization&_id=p{begin},o{begin}&{query}"
    )

    assert len(found) == len(set(found))
    assert set(found) == reached - start
