"""A batch: each entry on its own; and what is no bundle to do."""

import pytest

from fyr.core.errors import (
    Invalid,
    TooLarge,
)
from fyr.core.interactions import Incoming

from .words import BAD_REQUESTS, entry, patient, statuses


def test_a_batch_answers_each_entry_on_its_own(world) -> None:
    world.update(patient(id="gone"))
    world.delete("Patient", "gone")

    answer = world.carry_out(
        "batch",
        entry("POST", "Patient", patient("x")),
        entry("POST", "Patient", patient(nam=1)),
        entry("GET", "Patient/none"),
        entry("GET", "Patient/gone"),
        entry("GET", "Patient?identifier=x"),
        entry("POST", "Patient/_search?identifier=x"),
        entry("GET", "https://fyr.example.org/fhir/Patient/_history"),
        entry("GET", "Patient/gone/_history/1"),
        entry("GET", "Patient/gone/_history/1", ifNoneMatch='W/"1"'),
        entry("PUT", "Nothing/1", {"resourceType": "Patient", "id": "1"}),
    )

    assert [one[:3] for one in statuses(answer)] == [
        "201",
        "400",
        "404",
        "410",
        "200",
        "200",
        "200",
        "200",
        "200",
        "404",
    ]
    issue = answer[1]["response"]["outcome"]["issue"][0]
    assert issue["expression"] == ["Patient.nam"]
    assert answer[4]["resource"]["total"] == 1


@pytest.mark.parametrize(("bad", "where"), BAD_REQUESTS)
def test_an_entry_of_a_batch_whose_request_is_wrong_fails_alone(
    world, bad, where
) -> None:
    before, broken, after = world.carry_out(
        "batch", entry("POST", "Patient", patient("x")), bad, entry("GET", "Patient")
    )

    assert before["response"]["status"] == "201 Created"
    assert broken["response"]["status"] == "400 Bad Request"
    assert broken["response"]["outcome"]["issue"][0]["expression"] == [where]
    assert after["response"]["status"] == "200 OK"
    assert after["resource"]["total"] == 0


def test_an_operation_can_be_an_entry(world) -> None:
    answer = world.carry_out(
        "batch", entry("POST", "Patient/$validate", patient(nam=1))
    )

    assert answer[0]["response"]["status"] == "200 OK"
    assert answer[0]["resource"]["issue"][0]["expression"] == ["Patient.nam"]


@pytest.mark.parametrize("kind", ["collection", "history", None])
def test_only_a_batch_or_transaction_is_done(world, kind) -> None:
    bundle = {"resourceType": "Bundle", **({"type": kind} if kind else {})}

    with pytest.raises(Invalid, match="batch or transaction"):
        world.interactions.bundle(world.context("transaction"), Incoming(bundle))


@pytest.mark.parametrize(
    "entries", [{}, [1], [{"request": 1}], [{"request": None}], [{"search": 1}]]
)
def test_a_bundle_that_is_none_is_refused(world, entries) -> None:
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries}

    with pytest.raises(Invalid):
        world.interactions.bundle(world.context("transaction"), Incoming(bundle))


def test_an_empty_bundle_is_answered_with_one(world) -> None:
    bundle = {"resourceType": "Bundle", "type": "transaction"}

    answer = world.interactions.bundle(world.context("transaction"), Incoming(bundle))

    assert answer.resource() == {
        "resourceType": "Bundle",
        "type": "transaction-response",
    }


def test_a_bundle_with_too_many_entries_is_refused(build) -> None:
    world = build(fhir={"max_bundle_entries": 1})

    with pytest.raises(TooLarge):
        world.carry_out("batch", *[entry("GET", "Patient/a")] * 2)
