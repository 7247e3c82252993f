"""``$lastn`` is a search by another name: it tells nobody what a search would not."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory, kit: Any) -> Iterator[Any]:
    """A server that decides and has a reporting index."""
    folder = tmp_path_factory.mktemp("indexed")
    index = {"url": "embedded"}
    plugins = ("access_control", "reporting")
    for world in kit.world(folder, *plugins, reporting=index):
        world.built.worker().drain()
        yield world


def found(answer: Any) -> list[str]:
    return [
        one["id"] for one in answer.resources if one["resourceType"] == "Observation"
    ]


def test_a_citizen_finds_the_own_measurements(indexed, kit) -> None:
    citizen = kit.citizen(1, may="Observation.search")

    for named in ("Patient/1", kit.url("Patient/1")):
        answer = indexed.at("measurement", citizen).get(
            f"Observation/$lastn?patient={named}&code=weight"
        )

        assert (answer.status, found(answer)) == (200, ["1"]), named


@pytest.mark.parametrize(
    "whose", ["patient=Patient/2", "patient=Patient/1,Patient/2", "subject=Patient/2"]
)
def test_a_citizen_finds_nobody_elses(indexed, kit, whose) -> None:
    citizen = kit.citizen(1, may="Observation.search")

    for named in (whose, whose.replace("Patient/", kit.url("Patient/"))):
        answer = indexed.at("measurement", citizen).get(
            f"Observation/$lastn?{named}&code=weight"
        )

        assert answer.status == 403, named
    assert "Observation" not in str(answer.json.get("entry"))


def test_it_takes_the_privilege_of_a_search(indexed, kit) -> None:
    citizen = kit.citizen(1, may="Observation.read")

    answer = indexed.at("measurement", citizen).get(
        "Observation/$lastn?patient=Patient/1&code=weight"
    )

    assert answer.status == 403


def test_a_practitioner_has_to_search(indexed, kit) -> None:
    """What a team may see hangs on the episode, which $lastn does not know."""
    nurse = kit.nurse("a", 1, "Patient/1", may="Observation.search")

    answer = indexed.at("measurement", nurse).get(
        "Observation/$lastn?patient=Patient/1&code=weight"
    )

    assert answer.status == 403


@pytest.mark.parametrize("service", ["fhir", "measurement"])
def test_a_system_finds_those_of_anybody(indexed, kit, service) -> None:
    system = kit.who("SYSTEM", may="Observation.search Observation$lastn")
    client = (
        indexed.everything.acting_as(system)
        if service == "fhir"
        else indexed.at(service, system)
    )

    answer = client.get("Observation/$lastn?patient=Patient/2&code=weight")

    assert (answer.status, found(answer)) == (200, ["2"])
