"""One resource held against criteria, without the database.

That it means what a search means is tested where searches are, over any resources:
``test_naive``, ``naive_values`` and ``test_naive_tokens``.
"""

from typing import Any

import pytest

from fyr.core.declarations.services import ALL_TYPE_INTERACTIONS, Service, TypeRules
from fyr.core.errors import NotSupported

PATIENTS: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "a", "active": True, "gender": "male"},
    {"resourceType": "Patient", "id": "b", "gender": "female"},
]


def matcher(library: Any, kind: str, *pairs: tuple[str, str]) -> Any:
    context = library.context(kind)
    return library.database.read(
        lambda session: library.engine.matcher(session, context, kind, pairs)
    )


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("Observation", "subject:Patient.name", "x"),
        ("Observation", "patient.identifier", "x"),
        ("Patient", "_has:Observation:patient:code", "1"),
        ("Patient", "_list", "1"),
        ("Patient", "_filter", "organization.name eq x"),
        ("Location", "partof:below", "Location/1"),
    ],
)
def test_what_is_asked_of_other_resources_is_refused(
    library, kind, name, value
) -> None:
    with pytest.raises(NotSupported, match="other resources"):
        matcher(library, kind, (name, value))


def test_all_that_is_about_the_answer_is_refused_at_once(library) -> None:
    with pytest.raises(NotSupported) as refused:
        matcher(library, "Patient", ("_sort", "name"), ("_count", "5"))

    assert len(refused.value.issues) == 2


def test_a_parameter_that_is_not_known_is_refused(library) -> None:
    with pytest.raises(NotSupported, match="colour"):
        matcher(library, "Patient", ("colour", "red"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["a", "b"]),
        ("_id=b", ["b"]),
        ("_lastUpdated=lt2000", ["a", "b"]),
        ("_lastUpdated=gt2000", []),
        ("_filter=gender eq male or _id eq b", ["a", "b"]),
        ("gender:not=male", ["b"]),
        ("active:missing=true", ["b"]),
    ],
)
def test_what_stands_on_the_row_is_known(library, query, expected) -> None:
    library.put(*PATIENTS)

    assert library.ids("Patient", query) == expected
    assert library.matched("Patient", query) == expected


def test_a_resource_of_another_type_does_not_meet_criteria(library) -> None:
    (stored,) = library.put({"resourceType": "Observation", "id": "a"})
    everything = matcher(library, "Patient")

    with library.engine.candidate(stored) as candidate:
        assert not everything.meets(candidate)


def test_a_service_that_has_some_resources_of_a_type_matches_those(library) -> None:
    rules = TypeRules(ALL_TYPE_INTERACTIONS, only_profiles=("http://p",))
    library.service = Service("small", "small", "small", {"Patient": rules})
    mine = {**PATIENTS[0], "meta": {"profile": ["http://p"]}}
    library.put(mine, PATIENTS[1])

    assert library.matched("Patient", "") == ["a"]


def test_resources_are_told_apart_while_several_are_held(library) -> None:
    one, other = library.put(*PATIENTS)
    male = matcher(library, "Patient", ("gender", "male"))

    with (
        library.engine.candidate(one) as first,
        library.engine.candidate(other) as second,
    ):
        assert (male.meets(first), male.meets(second)) == (True, False)


def test_two_versions_of_a_resource_are_held_beside_each_other(library) -> None:
    (old,) = library.put(PATIENTS[0])
    new = library.change({**PATIENTS[0], "gender": "female"}, old)
    male = matcher(library, "Patient", ("gender", "male"))

    with (
        library.engine.candidate(old) as before,
        library.engine.candidate(new) as after,
    ):
        assert (male.meets(before), male.meets(after)) == (True, False)
