"""What projections take from resources, and what is refused at the start."""

from importlib.resources import files
from typing import Any

import orjson
import pytest

from fyr.config.load import ConfigError
from fyr.core import PluginSettings
from fyr.core.declarations.projections import Column, Projection, joined, projections_in
from fyr.core.store.port import Stored
from fyr.plugins.administrative import Administrative
from fyr.plugins.clinical import Clinical
from fyr.search.reporting.documents import Projections
from fyr.search.reporting.port import LONGEST_KEYWORD, Document, Refusal

administrative = Administrative(PluginSettings())
clinical = Clinical(PluginSettings())
OWN = list(projections_in(files("fyr.search.reporting.projections")))
AREAS = [*clinical.register_projections(), *administrative.register_projections()]
EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"


def stored(resource: dict[str, Any], version: int = 1, updated: int = 5) -> Stored:
    kind = resource["resourceType"]
    return Stored(1, kind, "1", version, updated, "PUT", orjson.dumps(resource))


def taken(resource: dict[str, Any], *columns: Column, patient: str = "") -> Any:
    """What columns take from a resource, without what all types have."""
    projection = Projection(resource["resourceType"], columns, patient)
    made = Projections([projection]).document(stored(resource))
    if isinstance(made, Refusal):
        return made
    assert made.values is not None
    return {k: v for k, v in made.values.items() if k != "lastUpdated"}


def column(type: str, path: str, **more: Any) -> Column:
    return Column("x", type, path, "", **more)  # type: ignore[arg-type]


def concept(*codes: str) -> dict[str, Any]:
    return {"coding": [{"system": "urn:s", "code": one} for one in codes]}


def test_all_that_is_declared_leads_somewhere_and_to_nobodys_name() -> None:
    made = Projections([*OWN, *AREAS])

    assert {"Observation", "Patient", "CarePlan", "Task"} <= set(made.by_type)
    assert [
        f"{kind}.{one.name}"
        for kind, projection in made.by_type.items()
        for one in projection.columns
        if one.personal
    ] == []
    assert all(
        one.description.endswith(".")
        for projection in made.by_type.values()
        for one in projection.columns
    )


def test_a_measurement_becomes_a_flat_document() -> None:
    resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": concept("weight", "NPU1"),
        "subject": {"reference": "Patient/9"},
        "effectiveDateTime": "2026-03-01T10:00:00+01:00",
        "valueQuantity": {"value": 70.5, "unit": "kg", "code": "kg"},
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare",
                "valueReference": {"reference": "EpisodeOfCare/8"},
            },
            {
                "url": f"{EHEALTH}resolved-timing",
                "extension": [
                    {"url": "type", "valueCodeableConcept": concept("Resolved")},
                    {"url": "start", "valueDateTime": "2026-03"},
                ],
            },
        ],
    }

    made = Projections([*OWN, *AREAS]).document(stored(resource, 3))

    assert made == Document(
        "Observation",
        "1",
        3,
        {
            "lastUpdated": 5,
            "patient": "Patient/9",
            "status": "final",
            "code": ["urn:s|weight", "urn:s|NPU1"],
            "effective": 1_772_355_600_000,
            "value": 70.5,
            "unit": "kg",
            "episodeOfCare": "EpisodeOfCare/8",
            "timing": ["urn:s|Resolved"],
            "timingStart": 1_772_323_200_000,
        },
    )


def test_both_parts_of_a_blood_pressure_are_columns() -> None:
    parts = [("8480-6", 120), ("8462-4", 80), ("8867-4", 60)]
    resource = {
        "resourceType": "Observation",
        "component": [
            {
                "code": {"coding": [{"code": "other"}, {"code": code}]},
                "valueQuantity": {"value": value},
            }
            for code, value in parts
        ],
    }

    made = Projections(OWN).document(stored(resource))

    assert isinstance(made, Document)
    assert made.values == {"lastUpdated": 5, "systolic": 120.0, "diastolic": 80.0}


def test_of_a_patient_nothing_is_taken_that_tells_who_it_is() -> None:
    resource = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:oid:1.2.208.176.1.2", "value": "0101500001"}],
        "name": [{"family": "Sørensen", "given": ["Åse"]}],
        "telecom": [{"system": "phone", "value": "12345678"}],
        "gender": "female",
        "birthDate": "1950-01-01",
        "address": [
            {
                "use": "home",
                "line": ["Havnegade 1"],
                "postalCode": "8000",
                "extension": [
                    {
                        "url": "http://hl7.dk/fhir/core/StructureDefinition/dk-core-municipalityCodes",
                        "valueCodeableConcept": concept("0751"),
                    }
                ],
            }
        ],
    }

    made = Projections([*OWN, *AREAS]).document(stored(resource))

    assert isinstance(made, Document)
    assert made.values == {
        "lastUpdated": 5,
        "patient": "Patient/1",
        "gender": "female",
        "birthYear": 1950.0,
        "municipality": "urn:s|0751",
    }


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("Patient", "name.family"),
        ("Patient", "identifier.value"),
        ("Patient", "identifier"),
        ("Patient", "telecom.value"),
        ("Patient", "address.city"),
        ("Patient", "contact.name.text"),
        ("RelatedPerson", "name.text"),
        ("Communication", "payload.content"),
        ("Observation", "note.text"),
        ("QuestionnaireResponse", "item.answer.value"),
    ],
)
def test_what_tells_who_somebody_is_asks_for_a_reason(kind: str, path: str) -> None:
    type = "text" if path == "note.text" else "keyword"
    without = Projection(kind, (column(type, path),))
    reasoned = Projection(kind, (column(type, path, personal="It is asked for."),))

    with pytest.raises(ConfigError, match=f"{kind}.x leads to what tells who somebody"):
        Projections([without])
    Projections([reasoned])


def test_a_day_of_birth_asks_for_a_reason_and_its_year_does_not() -> None:
    with pytest.raises(ConfigError, match="who somebody is"):
        Projections([Projection("Patient", (column("date", "birthDate"),))])

    year = column("number", "birthDate", year=True)
    assert taken({"resourceType": "Patient", "birthDate": "1950"}, year) == {"x": 1950}


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        (Projection("Nobody", ()), "R4 has no type Nobody"),
        (Projection("Task", (column("keyword", "nothing"),)), "leads to nothing"),
        (Projection("Task", (column("number", "status"),)), "leads to nothing"),
        (Projection("Task", (column("keyword", "status."),)), "cannot be read"),
        (Projection("Task", (column("keyword", "first(1)"),)), "a plain path"),
        (Projection("Task", (column("colour", "status"),)), "no type colour"),
        (
            Projection("Task", (column("keyword", "status"),) * 2),
            "two columns named x",
        ),
        (
            Projection("Task", (Column("id", "keyword", "status", ""),)),
            "two columns named id",
        ),
        (
            Projection("Task", (Column('a"b', "keyword", "status", ""),)),
            "no column is named",
        ),
        (
            Projection("Task", (Column("deleted", "keyword", "status", ""),)),
            "no column is named deleted",
        ),
        (Projection("Task", (), "status"), "leads to nothing"),
    ],
)
def test_a_projection_that_cannot_be_meant_stops_the_start(
    declared: Projection, why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        Projections([declared])


def test_plugins_add_columns_to_one_projection() -> None:
    one = Projection("Task", (Column("a", "keyword", "status", ""),), "for")
    other = Projection("Task", (Column("b", "keyword", "intent", ""),))

    (made,) = joined([one, other]).values()

    assert [column.name for column in made.columns] == ["a", "b"]
    assert made.patient == "for"


def test_two_places_of_the_patient_stop_the_start() -> None:
    both = [Projection("Task", (), "for"), Projection("Task", (), "owner")]

    with pytest.raises(ConfigError, match="its patient is at for and at owner"):
        Projections(both)


@pytest.mark.parametrize(
    ("resource", "path", "type", "found"),
    [
        ({"status": "final"}, "status", "keyword", "final"),
        ({"code": concept("a", "b")}, "code", "keyword", "urn:s|a"),
        ({"code": {"coding": [{"code": "a"}]}}, "code", "keyword", "|a"),
        ({"code": {"text": "Vægt"}}, "code", "keyword", None),
        ({"code": {"text": "Vægt på 1"}}, "code", "text", "vægt paa 1"),
        ({"subject": {"reference": "Patient/1"}}, "subject", "keyword", "Patient/1"),
        (
            {"subject": {"reference": "Patient/1/_history/2"}},
            "subject",
            "keyword",
            "Patient/1",
        ),
        (
            {"subject": {"reference": "https://else.where/Patient/1"}},
            "subject",
            "keyword",
            "https://else.where/Patient/1",
        ),
        ({"subject": {"reference": "#p"}}, "subject", "keyword", None),
        (
            {"subject": {"identifier": {"system": "urn:cpr", "value": "0101"}}},
            "subject",
            "keyword",
            None,
        ),
        ({"valueBoolean": True}, "value", "keyword", "true"),
        ({"valueBoolean": False}, "value", "boolean", False),
        ({"valueQuantity": {"value": 1.5}}, "value", "number", 1.5),
        ({"valueQuantity": {"unit": "kg"}}, "value", "number", None),
        ({"valueInteger": 3}, "value", "number", 3.0),
        ({"valueInteger": 3}, "value.as(Quantity)", "number", None),
        ({"valueInteger": 3}, "(value as integer)", "number", 3.0),
        ({"effectiveDateTime": "2026"}, "effective", "date", 1_767_225_600_000),
        (
            {"effectivePeriod": {"start": "2026-01-01", "end": "2027"}},
            "effective",
            "date",
            1_767_225_600_000,
        ),
        ({"effectivePeriod": {"end": "2027"}}, "effective", "date", None),
        ({"effectiveDateTime": "1931-05-04"}, "effective", "date", -1_220_140_800_000),
        ({"status": None, "_status": {"id": "a"}}, "status", "keyword", None),
        ({}, "status", "keyword", None),
    ],
)
def test_a_value_becomes_what_a_column_holds(
    resource: dict[str, Any], path: str, type: str, found: object
) -> None:
    resource = {"resourceType": "Observation", **resource}

    made = taken(resource, column(type, path))

    assert made == ({} if found is None else {"x": found})


def test_a_column_takes_the_first_or_all_of_its_values_each_once() -> None:
    resource = {
        "resourceType": "Observation",
        "category": [concept("a", "b"), concept("b", "c")],
    }

    first = taken(resource, column("keyword", "category"))
    all_of_them = taken(resource, column("keyword", "category", many=True))

    assert first == {"x": "urn:s|a"}
    assert all_of_them == {"x": ["urn:s|a", "urn:s|b", "urn:s|c"]}


def test_only_a_patient_is_the_patient_of_a_document() -> None:
    group = {"resourceType": "Observation", "subject": {"reference": "Group/1"}}
    patient = {"resourceType": "Observation", "subject": {"reference": "Patient/1"}}

    assert taken(group, patient="subject") == {}
    assert taken(patient, patient="subject") == {"patient": "Patient/1"}


@pytest.mark.parametrize(
    ("resource", "type", "why"),
    [
        ({"valueString": "x" * (LONGEST_KEYWORD + 1)}, "keyword", "is longer than"),
        ({"valueString": "å" * (LONGEST_KEYWORD // 2 + 1)}, "keyword", "is longer"),
    ],
)
def test_what_no_index_can_hold_is_refused(
    resource: dict[str, Any], type: str, why: str
) -> None:
    made = taken({"resourceType": "Observation", **resource}, column(type, "value"))

    assert isinstance(made, Refusal)
    assert str(made).startswith("Observation/1 version 1: x")
    assert why in made.reason


def test_a_number_that_no_double_holds_is_refused() -> None:
    body = b'{"resourceType":"Observation","valueQuantity":{"value":1e400}}'
    projection = Projection("Observation", (column("number", "value"),))
    one = Stored(1, "Observation", "1", 1, 5, "PUT", body)

    made = Projections([projection]).document(one)

    assert isinstance(made, Refusal)
    assert made.reason == "x is larger than any number that is kept"


def test_a_deleted_version_has_no_values() -> None:
    one = Stored(1, "Observation", "1", 2, 5, "DELETE", None)

    made = Projections(OWN).document(one)

    assert made == Document("Observation", "1", 2, None)


def test_the_fingerprint_tells_what_documents_are_made_of() -> None:
    one = Column("x", "keyword", "status", "Status.")

    def fingerprint(column: Column, patient: str = "") -> str:
        return Projections([Projection("Task", (column,), patient)]).fingerprint

    same = fingerprint(
        Column("x", "keyword", "status", "In other words.", personal="y")
    )
    assert same == fingerprint(one)
    others = {
        fingerprint(one),
        fingerprint(one, "for"),
        fingerprint(Column("y", "keyword", "status", "")),
        fingerprint(Column("x", "keyword", "intent", "")),
        fingerprint(Column("x", "keyword", "status", "", many=True)),
    }
    assert len(others) == 5
