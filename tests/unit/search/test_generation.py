"""What is taken from a resource has a number, and an update relies on it."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from fyr.config.settings import Settings
from fyr.core import hookimpl
from fyr.core.blobs.open import open_blobs
from fyr.core.context import RequestContext
from fyr.core.declarations.operations import Operations
from fyr.core.hooks.pipeline import Hooks
from fyr.core.interactions import Incoming, Interactions
from fyr.core.interactions.services import registered_services
from fyr.core.model import json
from fyr.core.store.schema import CONTAINED, INDEX_TABLES
from fyr.search import provide_search
from fyr.search.extraction import extract
from fyr.search.extraction.extract import Extractor
from fyr.search.extraction.places import Places
from fyr.search.parameters import Parameters

NICKNAME = {
    "resourceType": "SearchParameter",
    "url": "http://example.org/nickname",
    "code": "nickname",
    "base": ["Patient"],
    "type": "string",
    "expression": "Patient.name.where(use='nickname').given",
}

#: Something for each way in which a value becomes a row.
LIBRARY = rb"""[
{"resourceType":"Patient","id":"p","meta":{"profile":["http://p|1"],
 "tag":[{"system":"http://t","code":"x","display":"X"}],"security":[{"code":"R"}]},
 "identifier":[{"system":"http://s","value":"1"},{"value":"2",
 "type":{"coding":[{"system":"http://k","code":"MR"}],"text":"\u00c5r"}}],"active":true,
 "name":[{"family":"S\u00f8rensen","given":["Anna","B"],"prefix":["Dr"]},
 {"use":"nickname","given":["Nan"],"text":"Nan"}],
 "telecom":[{"system":"phone","value":"+45 1"},{"system":"email","value":"a@b"}],
 "gender":"female","birthDate":"1980-02","deceasedDateTime":"2020-01-01T10:00:00Z",
 "address":[{"line":["Way 1"],"city":"Aarhus","country":"DK","postalCode":"8000"}],
 "maritalStatus":{"coding":[{"system":"http://m","code":"M"}]},
 "generalPractitioner":[{"reference":"Practitioner/1"},
 {"identifier":{"system":"http://s","value":"9"}}],
 "managingOrganization":{"reference":"http://far/Organization/1"}},
{"resourceType":"Observation","id":"o","status":"final",
 "code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}],"text":"Pulse"},
 "subject":{"reference":"Patient/p"},"focus":[{"reference":"#inside"}],
 "effectivePeriod":{"start":"2020-01-01"},
 "valueQuantity":{"value":72.50,"unit":"beats","system":"http://unitsofmeasure.org",
 "code":"/min"},"component":[{"code":{"coding":[{"code":"c"}]},
 "valueQuantity":{"value":1,"comparator":"<","unit":"x"}}]},
{"resourceType":"RiskAssessment","id":"r","status":"final",
 "subject":{"reference":"Group/1"},"prediction":[{"probabilityDecimal":0.25},
 {"probabilityRange":{"low":{"value":1},"high":{"value":2}}}]},
{"resourceType":"ValueSet","id":"v","url":"http://v","version":"1.0","status":"draft",
 "date":"2024","jurisdiction":[{"coding":[{"code":"DK"}]}],
 "useContext":[{"code":{"code":"age"},"valueRange":{"low":{"value":1,"unit":"a"}}}]},
{"resourceType":"Bundle","id":"b","type":"document","timestamp":"2024-01-01T00:00:00Z",
 "entry":[{"resource":{"resourceType":"Composition","id":"c","status":"final"}}]},
{"resourceType":"CarePlan","id":"c","status":"active","intent":"plan",
 "subject":{"reference":"Patient/p"},"activity":[{"detail":{"status":"scheduled",
 "scheduledTiming":{"repeat":{"boundsPeriod":{"start":"2020","end":"2021"}}}}}]},
{"resourceType":"ChargeItem","id":"i","status":"billable","code":{"text":"x"},
 "subject":{"reference":"Patient/p"},"factorOverride":1.5,
 "priceOverride":{"value":10,"currency":"DKK"}},
{"resourceType":"Flag","id":"f","status":"active","code":{"text":"x"},
 "subject":{"reference":"#p"},"contained":[{"resourceType":"Patient","id":"p",
 "name":[{"family":"Bo"}],"birthDate":"1990"}]},
{"resourceType":"Location","id":"l","position":{"longitude":12.57,"latitude":55.68}},
{"resourceType":"StructureDefinition","id":"s","url":"http://s","name":"S",
 "status":"active","kind":"resource","abstract":false,"type":"Patient",
 "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient|4.0.1"}
]"""
#: Of the rows of ``LIBRARY``, and ``extract.EXTRACTOR`` at that time.
ROWS, EXTRACTOR = "34ab795e222cc03494cc14fd5796c0cded90e5ce032f1993f60a35e7a8274c18", 3


def extractor(*custom: dict[str, Any]) -> Extractor:
    return Extractor(Places(Parameters(custom)))


def test_who_changes_what_is_taken_raises_the_number_of_the_extractor() -> None:
    """Otherwise updates would leave rows behind that nothing removes."""
    taken = [
        (table, sorted(rows))
        for resource in json.decode(LIBRARY)
        for table, rows in extractor(NICKNAME).rows(resource).items()
    ]

    digest = hashlib.sha256(repr(taken).encode()).hexdigest()

    assert {table for table, _ in taken} == {*INDEX_TABLES, CONTAINED}
    assert (digest, extract.EXTRACTOR) == (ROWS, EXTRACTOR), (
        "other rows are taken: raise EXTRACTOR in search/extraction/extract.py, and put it and"
        " the digest here"
    )


def test_the_number_is_that_of_a_type_and_of_its_parameters() -> None:
    plain, more = extractor(), extractor(NICKNAME)
    other = extractor({**NICKNAME, "expression": "Patient.name.given"})

    numbers = [one.generation("Patient") for one in (plain, more, other)]

    assert len({*numbers, plain.generation("Group")}) == 4
    assert plain.generation("Group") == more.generation("Group")
    assert plain.generation("Patient") == extractor().generation("Patient")
    assert all(-(2**31) <= one < 2**31 and one for one in numbers)


def test_another_extractor_has_other_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    before = extractor().generation("Patient")
    monkeypatch.setattr(extract, "EXTRACTOR", extract.EXTRACTOR + 1)

    assert extractor().generation("Patient") != before


class Meddling:
    """Alters what it is given to look at."""

    @hookimpl
    def before_store(self, old: Any, new: Any) -> None:
        for one in (old, new):
            if one is not None:
                one["gender"] = "other"


class Writer:
    """Interactions on a library, with the engine that Fyr brings."""

    def __init__(self, library: Any, folder: Path, *custom: Any, **plugins: Any):
        settings = Settings(data_dir=folder, security={"mode": "open"})
        hooks = Hooks(plugins)
        self.library = library
        self.engine = provide_search(settings, library.database, library.clock, custom)
        self.interactions = Interactions(
            resources=library.resources,
            database=library.database,
            hooks=hooks,
            search=self.engine,
            settings=settings,
            clock=library.clock,
            services=registered_services(settings, hooks),
            operations=Operations([]),
            blobs=open_blobs(
                settings, library.database, library.resources, library.clock
            ),
        )

    def context(self, interaction: str, kind: str, identity: str) -> RequestContext:
        service = self.interactions.services.default
        return RequestContext(service, interaction, kind, identity)

    def update(self, resource: dict[str, Any]) -> None:
        context = self.context("update", resource["resourceType"], resource["id"])
        self.interactions.update(context, Incoming(resource))

    def delete(self, kind: str, identity: str) -> None:
        self.interactions.delete(self.context("delete", kind, identity))

    def assert_rows_are_of_what_is_stored(self, kind: str, identity: str) -> None:
        stored = self.library.resources.read(kind, identity)
        taken = self.engine.index(json.parse(stored.body)) if stored.body else {}
        found = {
            table: sorted(
                self.library.database.rows(
                    f"SELECT {', '.join(columns)} FROM {table} WHERE pid = ?",
                    (stored.pid,),
                )
            )
            for table, columns in INDEX_TABLES.items()
        }
        assert found == {table: sorted(taken.get(table, ())) for table in INDEX_TABLES}


PATIENTS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.lists(
            st.fixed_dictionaries(
                {"given": st.lists(st.sampled_from("abc"), min_size=1, max_size=3)},
                optional={"use": st.just("nickname")},
            ),
            min_size=1,
            max_size=3,
        ),
        "gender": st.sampled_from(["male", "female"]),
        "birthDate": st.sampled_from(["1980", "1980-01", "1981-01-01"]),
        "identifier": st.lists(
            st.fixed_dictionaries({"value": st.sampled_from("123")}),
            min_size=1,
            max_size=4,
        ),
        "managingOrganization": st.fixed_dictionaries(
            {"reference": st.sampled_from(["Organization/1", "http://o/2"])}
        ),
    },
)


@examples(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(versions=st.lists(st.one_of(PATIENTS, st.none()), min_size=1, max_size=5))
def test_any_updates_and_deletes_leave_the_rows_of_what_is_stored(
    library: Any, tmp_path: Path, versions: list[dict[str, Any] | None]
) -> None:
    library.empty()
    writer = Writer(library, tmp_path)
    writer.update({"resourceType": "Patient", "id": "1", "active": True})
    for one in versions:
        if one is None:
            writer.delete("Patient", "1")
        else:
            writer.update({"resourceType": "Patient", "id": "1", **one})

        writer.assert_rows_are_of_what_is_stored("Patient", "1")


def test_a_plugin_that_alters_the_old_resource_leaves_no_rows_behind(
    library: Any, tmp_path: Path
) -> None:
    patient = {"resourceType": "Patient", "id": "1", "gender": "male"}
    Writer(library, tmp_path).update(patient)
    writer = Writer(library, tmp_path, meddling=Meddling())

    writer.update(patient)

    writer.assert_rows_are_of_what_is_stored("Patient", "1")
    assert library.ids("Patient", "gender=other") == ["1"]
    assert library.ids("Patient", "gender=male") == []


@pytest.mark.parametrize("more_first", [False, True])
def test_a_server_with_other_parameters_writes_all_rows_anew(
    library: Any, tmp_path: Path, more_first: bool
) -> None:
    names = [{"use": "nickname", "given": ["Nan"]}]
    patient = {"resourceType": "Patient", "id": "1", "name": names}
    customs = ((NICKNAME,), ())
    first, second = customs if more_first else reversed(customs)

    Writer(library, tmp_path, *first).update(patient)
    writer = Writer(library, tmp_path, *second)
    writer.update(patient)

    writer.assert_rows_are_of_what_is_stored("Patient", "1")
