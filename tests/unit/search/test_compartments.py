"""Compartments: https://hl7.org/fhir/R4/compartmentdefinition.html."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from fyr.core.errors import NotFound, NotSupported
from fyr.search.parameters import Parameters
from fyr.search.understanding.compartments import compartments

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT.parent / "shared" / "data" / "hl7.fhir.r4.examples-4.0.1.tgz"
FILE = files("fyr.search").joinpath("data/compartments.json")
ME = ("Patient", "me")


def observation(identity: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": identity, **more}


def of(person: str) -> dict[str, str]:
    return {"reference": person}


@pytest.fixture
def filled(library: Any) -> Any:
    library.put(
        {"resourceType": "Patient", "id": "me"},
        {"resourceType": "Patient", "id": "you", "link": [{"other": of("Patient/me")}]},
        {"resourceType": "Patient", "id": "him"},
        observation("mine", subject=of("Patient/me"), status="final"),
        observation("by-me", performer=[of("Patient/me")], status="draft"),
        observation("both", subject=of("Patient/me"), performer=[of("Patient/me")]),
        observation("his", subject=of("Patient/him"), status="final"),
        observation("group", subject=of("Group/me"), status="final"),
        {"resourceType": "Encounter", "id": "visit", "subject": of("Patient/me")},
        {"resourceType": "Medication", "id": "pill"},
    )
    return library


def test_the_tool_writes_the_same_file_again(tmp_path: Path) -> None:
    if not PACKAGE.exists():
        pytest.skip(f"{PACKAGE.name} is absent here: the official definitions")
    tool = tmp_path / "tools" / "build_compartments.py"
    tool.parent.mkdir()
    tool.write_bytes((ROOT / "tools" / "build_compartments.py").read_bytes())
    made = tmp_path / "search" / "data" / "compartments.json"
    made.parent.mkdir(parents=True)

    subprocess.run([sys.executable, str(tool), str(PACKAGE)], check=True, timeout=120)

    assert made.read_bytes() == FILE.read_bytes()


def test_there_are_the_five_of_the_standard_and_their_parameters_are_indexed() -> None:
    assert sorted(json.loads(FILE.read_bytes())) == sorted(compartments())
    assert len(compartments()) == 5
    known = Parameters()
    for one in compartments().values():
        assert one.url.startswith("http://hl7.org/fhir/CompartmentDefinition/")
        for kind, names in one.types.items():
            for name in names:
                assert known.of(kind)[name].table == "idx_reference", (kind, name)


def test_any_of_the_parameters_puts_a_resource_into_a_compartment(filled: Any) -> None:
    assert filled.ids("Observation", "", compartment=ME) == ["mine", "by-me", "both"]
    assert filled.ids("Encounter", "", compartment=ME) == ["visit"]


def test_a_compartment_is_narrowed_by_criteria(filled: Any) -> None:
    assert filled.ids("Observation", "status=final", compartment=ME) == ["mine"]


def test_a_resource_is_in_its_own_compartment_with_those_that_link_to_it(
    filled: Any,
) -> None:
    assert filled.ids("Patient", "", compartment=ME) == ["me", "you"]
    assert filled.ids("Encounter", "", compartment=("Encounter", "visit")) == ["visit"]


def test_all_types_of_a_compartment_are_searched_together(filled: Any) -> None:
    found = filled.ids(None, "", compartment=ME)

    assert sorted(found) == ["both", "by-me", "me", "mine", "visit", "you"]
    only = filled.ids(None, "_type=Encounter,Patient", compartment=ME)
    assert sorted(only) == ["me", "visit", "you"]


def test_the_compartment_of_nobody_is_empty(filled: Any) -> None:
    page = filled.page(None, "", compartment=("Patient", "nobody"))

    assert (page.matches, page.total) == ([], 0)


def test_pages_of_a_compartment_belong_to_it(filled: Any) -> None:
    page = filled.page("Observation", "_count=2", compartment=ME)
    assert [one.id for one in page.matches] == ["mine", "by-me"]

    after = f"_count=2&_cursor={page.next}"
    assert filled.ids("Observation", after, compartment=ME) == ["both"]
    with pytest.raises(Exception, match="belongs to another search"):
        filled.page("Observation", after, compartment=("Patient", "him"))


def test_what_is_no_compartment_is_not_found(filled: Any) -> None:
    with pytest.raises(NotFound, match="Observation is no compartment: there are"):
        filled.page("Encounter", "", compartment=("Observation", "mine"))


def test_what_can_never_be_in_a_compartment_is_refused(filled: Any) -> None:
    with pytest.raises(NotSupported, match="Medication is never in the compartment"):
        filled.page("Medication", "", compartment=ME)
    with pytest.raises(NotSupported, match="_type: 'Medication' cannot be searched"):
        filled.page(None, "_type=Medication", compartment=ME)
