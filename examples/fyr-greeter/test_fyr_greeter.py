"""The greeter as a client meets it; ``fyr_client`` and the rest come with Fyr."""

import pytest

from fyr.core.testing import Client, PluginContract

ADA = {"resourceType": "Patient", "name": [{"given": ["Ada"], "family": "Lovelace"}]}


@pytest.fixture
def fyr_options():
    return {
        "plugins": {"enabled": ["search", "greeter"]},
        "plugin": {"greeter": {"greeting": "Goddag", "unwelcome": ["Grinch"]}},
    }


def greeting(answer) -> str:
    assert answer.status == 200, answer.body
    return answer.json["parameter"][0]["valueString"]


def test_a_patient_is_greeted_by_name(fyr_client: Client) -> None:
    ada = fyr_client.create(ADA).json

    assert greeting(fyr_client.get(f"Patient/{ada['id']}/$greet")) == "Goddag, Ada!"


def test_whoever_is_named_is_greeted(fyr_client: Client) -> None:
    sent = {
        "resourceType": "Parameters",
        "parameter": [{"name": "name", "valueString": "Bo"}],
    }

    assert greeting(fyr_client.get("Patient/$greet", {"name": "Bo"})) == "Goddag, Bo!"
    assert greeting(fyr_client.post("Patient/$greet", sent)) == "Goddag, Bo!"


def test_a_patient_who_is_not_there_cannot_be_greeted(fyr_client: Client) -> None:
    assert fyr_client.get("Patient/nobody/$greet").status == 404


def test_an_unwelcome_patient_is_not_stored(fyr_client: Client) -> None:
    grinch = {"resourceType": "Patient", "id": "g", "name": [{"family": "Grinch"}]}
    answer = fyr_client.update(grinch)

    assert answer.status == 422
    assert answer.issues == ["Grinch is not welcome"]
    assert answer.json["issue"][0]["expression"] == ["Patient.name[0].family"]
    assert fyr_client.get("Patient/g").status == 404


def test_an_unwelcome_patient_takes_the_whole_transaction_along(
    fyr_client: Client, fyr_events
) -> None:
    grinch = {"resourceType": "Patient", "name": [{"family": "Grinch"}]}
    entries = [
        {"resource": patient, "request": {"method": "POST", "url": "Patient"}}
        for patient in (ADA, grinch)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    assert fyr_client.post("", bundle).status == 422
    assert fyr_events.all() == []


def test_the_route_greets_without_fhir(fyr_client: Client) -> None:
    answer = fyr_client.get("/greeter/hello", {"name": "Bo"})

    assert answer.json == {"greeting": "Goddag, Bo!"}


class TestGreeterAsAPlugin(PluginContract):
    plugin = "greeter"
