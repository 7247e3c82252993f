"""Writes that are held against a table, on every way in."""

import json

import pytest

from fyr.core.testing.client import Client

from .conftest import LOAN, done, loan, state_of

JSON_PATCH = "application/json-patch+json"


def lent(client: Client) -> str:
    """Make a loan that is wanted, and tell its id."""
    stored = client.create(loan("wanted")).json
    return stored["id"]


def ready(identity: str, state: str = "lent") -> dict:
    subject = {"reference": "Patient/1"}
    return loan(state, id=identity, subject=subject, created="2026-01-08")


def test_a_step_of_the_table_is_made_with_its_effects(nurse) -> None:
    identity = lent(nurse)

    answer = nurse.update(ready(identity))

    assert answer.status == 200
    assert answer.json["language"] == "da"
    assert done == ["wanted to lent"]


def test_a_step_that_is_not_there_is_refused_and_changes_nothing(nurse) -> None:
    identity = lent(nurse)

    answer = nurse.update(ready(identity, "returned"))

    assert answer.status == 422
    assert answer.issues == ["A loan cannot go from wanted to returned."]
    assert answer.json["issue"][0]["expression"] == ["Basic"]
    assert state_of(nurse.get(f"Basic/{identity}").json) == "wanted"
    assert nurse.get(f"Basic/{identity}/_history").json["total"] == 1


def test_all_that_stands_in_the_way_is_told_at_once(nurse) -> None:
    identity = lent(nurse)

    answer = nurse.update(loan("lent", id=identity))

    assert answer.status == 422
    paths = [one["expression"] for one in answer.json["issue"]]
    assert paths == [["Basic.subject"], ["Basic.created"]]
    assert done == []


def test_who_is_not_named_in_the_row_is_refused(nurse, citizen) -> None:
    identity = lent(nurse)

    assert citizen.update(ready(identity)).status == 422
    assert nurse.update(ready(identity)).status == 200
    assert citizen.update(ready(identity, "returned")).status == 200


def test_users_create_in_the_first_states_only(nurse, citizen) -> None:
    assert nurse.create(loan("wanted")).status == 201
    assert citizen.create(loan("wanted")).status == 201
    assert nurse.create(loan("lent")).status == 422
    assert nurse.create(loan("")).status == 400


def test_a_system_brings_data_in_any_state_and_follows_the_table_then(system) -> None:
    created = system.create(loan("lent")).json

    assert state_of(created) == "lent"
    assert system.update(loan("returned", id=created["id"])).status == 422


def test_a_write_that_leaves_the_state_needs_no_row_unless_there_is_one(
    nurse, citizen
) -> None:
    identity = lent(nurse)
    assert citizen.update(loan("wanted", id=identity, language="da")).status == 200
    nurse.update(ready(identity))
    nurse.update(ready(identity, "returned"))

    assert citizen.update(ready(identity, "returned")).status == 422
    assert nurse.update(ready(identity, "returned")).status == 200


def test_only_what_a_row_says_may_be_deleted_where_there_are_such_rows(nurse) -> None:
    identity = lent(nurse)
    refused = nurse.delete(f"Basic/{identity}")
    nurse.update(loan("dropped", id=identity))

    assert refused.status == 422
    assert nurse.delete(f"Basic/{identity}").status == 204
    assert nurse.update(loan("returned", id=identity)).status == 422
    assert nurse.update(loan("wanted", id=identity)).status == 201


def test_a_patch_goes_the_way_of_the_table(nurse) -> None:
    identity = lent(nurse)
    change = [{"op": "replace", "path": "/extension/0/valueCode", "value": "returned"}]

    answer = nurse.patch(f"Basic/{identity}", json.dumps(change), JSON_PATCH)

    assert answer.status == 422


@pytest.mark.parametrize("kind", ["transaction", "batch"])
def test_entries_of_bundles_go_the_way_of_the_table(nurse, kind) -> None:
    identity = lent(nurse)
    entry = {
        "resource": loan("returned", id=identity),
        "request": {"method": "PUT", "url": f"Basic/{identity}"},
    }
    new = {"resource": loan("lent"), "request": {"method": "POST", "url": "Basic"}}
    bundle = {"resourceType": "Bundle", "type": kind, "entry": [entry, new]}

    answer = nurse.post("", bundle)

    if kind == "batch":
        told = [one["response"]["status"][:3] for one in answer.json["entry"]]
        assert told == ["422", "422"]
    else:
        paths = {one["expression"][0] for one in answer.json["issue"]}
        assert answer.status == 422
        assert paths == {"Bundle.entry[0].resource", "Bundle.entry[1].resource"}


def test_resources_that_the_machine_is_not_about_are_nobodys_business(nurse) -> None:
    other = {"resourceType": "Basic", "code": {"text": "other"}}
    identity = nurse.create(other).json["id"]

    assert nurse.update({**other, "id": identity, "language": "da"}).status == 200
    assert nurse.delete(f"Basic/{identity}").status == 204


@pytest.mark.parametrize("state", ["wanted", "returned"])
def test_nobody_leaves_the_table_by_claiming_to_be_something_else(
    nurse, system, state
) -> None:
    identity = lent(nurse)
    other = loan(state, id=identity)
    other["code"] = {"text": "other"}

    assert nurse.update(other).status == 422
    assert system.update(other).status == 422
    assert nurse.get(f"Basic/{identity}").json["code"] == LOAN


def test_what_comes_under_the_table_later_is_as_if_created(nurse) -> None:
    other = {"resourceType": "Basic", "code": {"text": "other"}}
    identity = nurse.create(other).json["id"]

    assert nurse.update(loan("lent", id=identity)).status == 422
    assert nurse.update(loan("wanted", id=identity)).json["code"] == LOAN
