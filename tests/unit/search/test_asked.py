"""What a decider is told of a search: all that it is about, however it is written."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any
from urllib.parse import parse_qsl

import pytest

from fyr.core.errors import Forbidden, NotSupported
from fyr.search.hashes import contained_id
from fyr.search.tree import Source
from fyr.search.understanding.known import Known
from fyr.search.understanding.lists import LISTED
from fyr.search.understanding.operands import Operands
from fyr.search.understanding.query import QueryParser


@pytest.fixture
def ask(library):
    def asked(kind: str | None, query: str, **more: Any):
        told = []
        pairs = parse_qsl(query, keep_blank_values=True)
        context = library.context(kind, params=tuple(pairs), **more)
        library.database.read(
            lambda session: library.engine.search(
                session, context, kind, pairs, told.append
            )
        )
        (one,) = told
        return one

    return asked


@pytest.mark.parametrize(
    ("query", "touched"),
    [
        ("code=x", "Observation.code"),
        ("code:text=x", "Observation.code"),
        ("subject:Patient.name=x", "Observation.subject Patient.name"),
        (
            "encounter:Encounter.patient:Patient.name=x",
            "Observation.encounter Encounter.patient Patient.name",
        ),
        (
            "_has:Provenance:target:agent:Practitioner.name=x",
            "Observation._has Provenance.target Provenance.agent Practitioner.name",
        ),
        (
            "_filter=encounter.patient.name eq x",
            "Observation._filter Observation.encounter Encounter.patient EpisodeOfCare.patient Patient.name",
        ),
        (
            "_filter=not(encounter[status eq arrived].class eq x)",
            "Observation._filter Observation.encounter Encounter.status Encounter.class",
        ),
        ("_list=1", "Observation._list List.item"),
        ("_sort=-date,_id", "Observation.date"),
        ("_id=1&_lastUpdated=gt2020", "Observation._id Observation._lastUpdated"),
        ("encounter:missing=true", "Observation.encounter"),
        ("code-value-quantity=x$1", "Observation.code-value-quantity"),
        ("_total=accurate&_count=0", ""),
    ],
)
def test_all_that_decides_is_told(ask, query, touched) -> None:
    found = {".".join(pair) for pair in ask("Observation", query).touched}

    assert found == set(touched.split())


@pytest.mark.parametrize(
    ("query", "beyond"),
    [
        ("code=x&_sort=date&_filter=code eq x", ""),
        ("has-member:Observation.code=x", "Observation.code"),
        (
            "_has:Observation:has-member:code=x",
            "Observation.has-member Observation.code",
        ),
        (
            "_filter=encounter[status eq x].class eq y",
            "Encounter.status Encounter.class",
        ),
        (
            "subject:Patient._has:Observation:subject:code=x",
            "Patient._has Observation.subject Observation.code",
        ),
        ("_list=1", "List.item"),
        ("_include=Observation:has-member", ""),
    ],
)
def test_what_is_asked_of_other_resources_is_told_apart(ask, query, beyond) -> None:
    found = {".".join(pair) for pair in ask("Observation", query).beyond}

    assert found == set(beyond.split())


def test_a_reference_that_no_match_has_is_told(ask) -> None:
    assert ("encounter", "") in ask("Observation", "encounter:missing=true").pinned
    assert not ask("Observation", "encounter:missing=false").pinned


def test_the_parts_of_places_are_told_with_what_they_are_parts_of(ask) -> None:
    touched = ask("Encounter", "location:below=Location/1").touched

    assert ("Location", "partof") in touched


@pytest.mark.parametrize(
    ("query", "followed", "brought"),
    [
        ("_include=Observation:encounter", "Observation.encounter", "Encounter"),
        ("_revinclude=Provenance:target", "Provenance.target", "Provenance"),
        ("_include=Observation:subject:Patient", "Observation.subject", "Patient"),
        ("_include=*", "*.*", ""),
    ],
)
def test_includes_are_told_apart_from_what_decides(
    ask, query, followed, brought
) -> None:
    asked = ask("Observation", query)

    assert {".".join(pair) for pair in asked.followed} == {followed}
    assert brought in ("", *asked.brought)
    assert brought or not asked.brought
    assert asked.touched == frozenset()


@pytest.mark.parametrize(
    "query",
    [
        "patient=Patient/1",
        "patient=1",
        "patient:Patient=1",
        "patient=http://here/fhir/Patient/1",
        "patient=Patient/1/_history/2",
        "_filter=patient eq Patient/1",
        "_filter=patient eq Patient/1 and code eq x",
        "patient=Patient/1&patient=Patient/1,Patient/2",
    ],
)
def test_a_reference_that_each_match_has_is_pinned(ask, query) -> None:
    assert ("patient", "Patient/1") in ask("Observation", query).pinned


@pytest.mark.parametrize(
    ("query", "pinned"),
    [
        ("_id=1", ("_id", "Observation/1")),
        (
            "encounter:Encounter.patient=Patient/1",
            ("encounter.patient", "Patient/1"),
        ),
        ("subject:Patient._id=1", ("subject._id", "Patient/1")),
    ],
)
def test_ids_and_the_end_of_a_chain_are_pinned_too(ask, query, pinned) -> None:
    assert ask("Observation", query).pinned == {pinned}


@pytest.mark.parametrize(
    "query",
    [
        "_id=1,2",
        "encounter:Encounter.patient=Patient/1,Patient/2",
        "patient=Patient/1,Patient/2",
        "patient.identifier=x",
        "patient._id=1",
        "patient:missing=false",
        "patient:identifier=Patient/1",
        "patient=http://elsewhere/fhir/Patient/1",
        "_filter=not(patient eq Patient/1)",
        "_filter=patient ne Patient/1",
        "_filter=patient eq Patient/1 or code eq x",
        "_has:Provenance:target:patient=Patient/1",
        "subject=1",
    ],
)
def test_what_leaves_others_in_pins_nothing(ask, query) -> None:
    pinned = ask("Observation", query).pinned

    assert not {one for one in pinned if one[1] == "Patient/1"}


def test_a_compartment_of_several_elements_pins_none_of_them(ask) -> None:
    asked = ask("Observation", "", compartment=("Patient", "1"))

    assert asked.pinned == frozenset()


def test_nothing_is_pinned_where_several_types_are_searched(ask) -> None:
    asked = ask(None, "_type=Observation,Condition&patient=Patient/1")

    assert asked.types == ("Observation", "Condition")
    assert asked.pinned == frozenset()
    assert ("Condition", "patient") in asked.touched


def test_who_refuses_ends_the_search_explained_or_not(library) -> None:
    def refuse(asked):
        raise Forbidden("no")

    context = library.context("Patient")
    engine = library.engine
    for way in (engine.search, engine.explain):
        with pytest.raises(Forbidden):
            library.database.read(
                lambda session, way=way: way(session, context, "Patient", [], refuse)
            )
    with pytest.raises(Forbidden):
        library.database.read(
            lambda session: engine.criteria(
                session, context, "Patient", "name=x", refuse
            )
        )


def _sources(node: Any) -> Iterator[Source]:
    if isinstance(node, Source):
        yield node
    elif is_dataclass(node):
        for field in fields(node):
            yield from _sources(getattr(node, field.name))
    elif isinstance(node, list | tuple | set | frozenset):
        for one in node:
            yield from _sources(one)


@pytest.mark.parametrize(
    "query",
    [
        "subject:Patient.general-practitioner:Practitioner.name=x&_sort=code",
        "_has:Provenance:target:agent:Practitioner.name=x&_list=1",
        "_filter=encounter[status eq arrived].location.name co x or value-quantity gt 3",
        "combo-code-value-quantity=x$3&component-code:missing=true&date=2020",
        "encounter.location:below=Location/1",
    ],
)
def test_no_place_of_the_index_is_read_that_is_not_told(library, query) -> None:
    """Each source of the tree is one of a parameter that was noted."""
    current = library.engine.sets.now
    pairs = parse_qsl(query)

    def parsed(session):
        operands = Operands(library.clock, lambda url: url)
        known = Known(current.parameters, current.places, operands, session)
        parser = QueryParser(known, default_count=10, max_count=10)
        understood = parser.parse(["Observation"], pairs, lenient=False)
        return understood, parser.asked(understood)

    understood, asked = library.database.read(parsed)
    told = set()
    for kind, code in asked.touched:
        places = current.places.of(kind)
        told |= {one.number for one in _sources(places.sources.get(code, ()))}
        told |= {one.number for one in _sources(places.canonical.get(code, ()))}
        told |= {one.number for one in _sources(places.composites.get(code, ()))}
        for (name, _), sources in places.beside.items():
            told |= {one.number for one in sources if name == code}
    if ("List", "item") in asked.touched:
        told.add(LISTED.number)
    told |= set(map(contained_id, told))
    read = {one.number for one in _sources(understood.criteria)}

    assert read
    assert read <= told


def test_a_lenient_search_leaves_out_nothing_that_a_plugin_has_added(library) -> None:
    context = library.context("Patient", params=(), handling="lenient")

    with pytest.raises(NotSupported):
        library.database.read(
            lambda session: library.engine.search(
                session, context, "Patient", [("nonsense", "1")]
            )
        )
