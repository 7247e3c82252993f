"""What is taken from a resource, also compared with a FHIRPath library's answers."""

import json
import re
import tarfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models

from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.store.schema import INDEX_TABLES
from fyr.search.extraction.extract import Extractor
from fyr.search.extraction.places import Places, places_of
from fyr.search.extraction.spots import Node
from fyr.search.extraction.values import PARTS
from fyr.search.hashes import hash64
from fyr.search.parameters import Parameter, Parameters
from fyr.search.tree import Source

EXAMPLES = (
    Path(__file__).parents[4] / "shared" / "data" / "hl7.fhir.r4.examples-4.0.1.tgz"
)
PARAMETERS = Parameters()
PLACES = Places(PARAMETERS)
EXTRACTOR = Extractor(PLACES)
PER_TYPE = 4
#: Their unions hold types that a parameter of the kind cannot have (a date an Age).
MIXED = {("Procedure", "date"), ("CarePlan", "activity-date"), ("Immunization", "date")}


def rows(table: str, resource: dict[str, Any], name: str) -> list[tuple[Any, ...]]:
    """What stands where a parameter looks, without the number of the place."""
    sources = PLACES.of(resource["resourceType"]).sources[name]
    found = EXTRACTOR.rows(resource).get(table, [])
    return [row[1:] for row in found if any(belongs(row, one) for one in sources)]


def belongs(row: tuple[Any, ...], source: Source) -> bool:
    columns = INDEX_TABLES[source.table]
    only = source.only
    return row[0] == source.number and (
        only is None or row[columns.index(only[0])] in only[1]
    )


def patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "x", **more}


def test_a_value_is_kept_once() -> None:
    same = {"system": "http://s", "value": "1"}

    found = rows("idx_token", patient(identifier=[same, same]), "identifier")

    assert found == [("1", hash64("http://s"))]


def test_a_choice_is_read_in_whatever_type_it_has() -> None:
    base = {"resourceType": "Observation", "status": "final", "code": {}}

    moment = rows("idx_date", {**base, "effectiveDateTime": "1970-01-01"}, "date")
    period = {"start": "1970-01-01", "end": "1970-01-01"}
    both = rows("idx_date", {**base, "effectivePeriod": period}, "date")

    assert moment == both == [(0, 86_399_999)]


def test_values_of_extended_primitives_are_read_and_nulls_are_none() -> None:
    name = {"given": ["A", None], "_given": [None, {"extension": []}]}

    assert rows("idx_string", patient(name=[name]), "given") == [("a", "A")]


def test_references_are_told_apart_by_where_they_lead() -> None:
    links = [
        {"reference": "Practitioner/1/_history/2"},
        {"reference": "http://far/Practitioner/1"},
        {"reference": "#inside"},
        {"reference": "urn:uuid:1"},
        {"display": "nobody"},
    ]

    found = rows(
        "idx_reference", patient(generalPractitioner=links), "general-practitioner"
    )

    assert found == [
        ("1", "Practitioner"),
        ("http://far/Practitioner/1", ""),
        ("inside", "#"),
        ("urn:uuid:1", ""),
    ]


def test_only_references_of_the_wanted_type_are_a_patient() -> None:
    for reference, is_patient in [
        ({"reference": "Patient/1"}, True),
        ({"reference": "http://far/Patient/1"}, True),
        ({"reference": "urn:uuid:1", "type": "Patient"}, True),
        ({"reference": "Group/1"}, False),
    ]:
        observation = {"resourceType": "Observation", "subject": reference}
        assert bool(rows("idx_reference", observation, "patient")) == is_patient


def test_what_several_parameters_read_stands_once() -> None:
    observation = {
        "resourceType": "Observation",
        "code": {"coding": [{"code": "1"}]},
        "subject": {"reference": "Patient/1"},
    }

    found = EXTRACTOR.rows(observation)

    assert len(found["idx_token"]) == 1
    assert len(found["idx_reference"]) == 1
    for name in ("code", "combo-code"):
        assert rows("idx_token", observation, name) == [("1", 0)]
    for name in ("subject", "patient"):
        assert rows("idx_reference", observation, name) == [("1", "Patient")]


def test_a_choice_read_as_one_of_its_types_stands_apart() -> None:
    places = PLACES.of("Observation")

    assert len({one.place for one in places.sources["date"]}) == 1
    assert places.sources["value-quantity"] != places.sources["value-concept"]


def test_contact_points_of_one_system_are_those_of_telecom() -> None:
    telecom = [{"system": "email", "value": "a@b"}, {"system": "phone", "value": "1"}]

    assert len(EXTRACTOR.rows(patient(telecom=telecom))["idx_token"]) == 3
    assert rows("idx_token", patient(telecom=telecom), "email") == [
        ("a@b", hash64("email"))
    ]


def test_the_death_of_a_patient_is_known_either_way() -> None:
    assert rows("idx_token", patient(), "deceased") == [("false", 0)]
    for dead in ({"deceasedBoolean": True}, {"deceasedDateTime": "2020"}):
        assert rows("idx_token", patient(**dead), "deceased") == [("true", 0)]


def test_the_first_entry_of_a_bundle_is_its_composition() -> None:
    entries = [{"resource": {"resourceType": "Composition", "id": "c"}}, {}]
    bundle = {"resourceType": "Bundle", "type": "document", "entry": entries}

    assert rows("idx_reference", bundle, "composition") == [("c", "Composition")]


def test_every_parameter_of_every_type_is_compiled() -> None:
    for kind in RESOURCE_TYPES:
        assert EXTRACTOR.rows({"resourceType": kind}) is not None


@pytest.fixture(scope="module")
def examples() -> list[dict[str, Any]]:
    """A few official examples of each type."""
    if not EXAMPLES.exists():
        pytest.skip(f"{EXAMPLES.name} is absent here: the official examples")
    taken: dict[str, list[dict[str, Any]]] = {}
    with tarfile.open(EXAMPLES) as archive:
        for member in archive:
            kind = Path(member.name).name.partition("-")[0]
            full = len(taken.get(kind, ())) >= PER_TYPE
            if kind in RESOURCE_TYPES and not full and member.size < 100_000:
                content = archive.extractfile(member)
                assert content is not None
                taken.setdefault(kind, []).append(
                    json.load(content, parse_float=Decimal)
                )
    return [one for found in taken.values() for one in found]


def test_the_extractor_takes_what_fhirpath_finds(
    examples: list[dict[str, Any]],
) -> None:
    differences = []
    for resource in examples:
        kind = resource["resourceType"]
        for parameter in PARAMETERS.of(kind).values():
            if parameter.table is None or parameter.name in ("_id", "_lastUpdated"):
                continue
            if (kind, parameter.name) in MIXED or parameter.type == "composite":
                continue
            ours = sorted(map(repr, taken(parameter, resource)))
            theirs = sorted(map(repr, evaluated(parameter, resource)))
            if ours != theirs:
                differences.append((kind, resource["id"], parameter.name, ours, theirs))

    assert differences == []
    assert len(examples) > 300


def taken(parameter: Parameter, resource: dict[str, Any]) -> list[Any]:
    """The values that the extractor hands to a parameter's conversion."""
    places = places_of(parameter.resource_type, [parameter])
    found: dict[int, list[Any]] = {}
    visit(places.root, resource, found)
    # Where "elsewhere" and logical references stand, the same values are looked at again.
    wanted = {one.number for one in places.sources[parameter.name]}
    plain = {
        one.number
        for one in places.sources[parameter.name]
        if one.only is None or "" not in one.only[1]
    }
    return [value for number in wanted & plain for value in found.get(number, ())]


def visit(node: Node, value: Any, found: dict[int, list[Any]]) -> None:
    for number in node.leaves:
        found.setdefault(number, []).append(value)
    for (name, wanted), below in node.guarded.items():
        if value.get(name) == wanted:
            visit(below, value, found)
    for name, below in node.below.items():
        inside = value.get(name) if isinstance(value, dict) else None
        for one in inside if isinstance(inside, list) else [inside]:
            if one is not None:
                visit(below, one, found)


def evaluated(parameter: Parameter, resource: dict[str, Any]) -> list[Any]:
    """What the library finds, whatever the references in it lead to."""
    simple = [path for path in parameter.paths if "[" not in path and "!=" not in path]
    found = [
        one
        for path in simple
        for one in expression(of_type(resource, path))(resource, {})
    ]
    return [part for one in found for part in parts_of(parameter, one)]


def parts_of(parameter: Parameter, value: Any) -> list[Any]:
    """A name or an address is indexed by its parts."""
    if parameter.type != "string" or not isinstance(value, dict):
        return [value]
    named = {name for (_, _), names in PARTS.items() for name in names}
    kept = [value[name] for name in value if name in named]
    return [
        one for part in kept for one in (part if isinstance(part, list) else [part])
    ]


def of_type(resource: dict[str, Any], path: str) -> str:
    """The library does not know that every type is a Resource."""
    return path.replace("Resource.", f"{resource['resourceType']}.", 1)


COMPILED: dict[str, Any] = {}


def expression(text: str) -> Any:
    if text not in COMPILED:
        plain = text.partition(".where(resolve() is ")[0]
        # A ContactPoint's rows tell its system: all of them are taken.
        plain = re.sub(r"telecom\.where\(system='\w+'\)$", "telecom", plain)
        # The library knows no resolve(), and takes "as" for one value only.
        plain = re.sub(r"\((\S+) as (\w+)\)", r"\1.ofType(\2)", plain)
        plain = plain.replace(".as(", ".ofType(")
        COMPILED[text] = fhirpathpy.compile(plain, models["r4"])
    return COMPILED[text]
