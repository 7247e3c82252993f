"""What of a patient only the register changes: CPR number, official name, home address."""

import pytest

JSON_PATCH = "application/json-patch+json"
BERG = "7705480012"


@pytest.fixture
def patient(world, enroller):
    """Åse Berg, as the register has her."""
    return world.create_patient(world.at("patient", enroller), BERG).json


@pytest.fixture
def nurse(world, people, patient):
    """A client of somebody who has the patient in context."""
    may = "Patient.read Patient.write"
    context = f"Patient/{patient['id']}"
    return world.at(
        "patient", people("PRACTITIONER", "Practitioner/1", context, may=may)
    )


@pytest.fixture
def patch(nurse, patient):
    def patched(*operations):
        return nurse.patch(f"Patient/{patient['id']}", list(operations), JSON_PATCH)

    return patched


def op(name, path, value=None):
    return {"op": name, "path": path, **({} if value is None else {"value": value})}


def test_what_the_register_does_not_know_is_changed_freely(patch, recorded) -> None:
    """As it was recorded: a citizen needs an interpreter."""
    answer = patch(
        *recorded["PATCH_Patient"]["request_body"],
        op("add", "/telecom/-", {"system": "phone", "value": "+45 12345678"}),
        op("add", "/name/-", {"use": "nickname", "text": "Åse fra fyret"}),
        op("add", "/address/-", {"use": "temp", "city": "Aarhus"}),
    )

    assert answer.status == 200
    assert answer.json["extension"][0]["valueBoolean"] is True


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        (op("replace", "/name/0/family", "Holm"), "official name"),
        (op("remove", "/name"), "official name"),
        (op("add", "/name/-", {"family": "Holm"}), "official name"),
        (op("replace", "/address/0/city", "Aarhus"), "home address"),
        (op("replace", "/address/0/use", "old"), "home address"),
        (op("replace", "/identifier/0/value", "6303520023"), "CPR number"),
        (
            op(
                "add",
                "/identifier/-",
                {"system": "urn:oid:1.2.208.176.1.2", "value": "6303520023"},
            ),
            "CPR number",
        ),
    ],
)
def test_what_the_register_knows_is_not_changed(patch, operation, told) -> None:
    answer = patch(operation)

    assert answer.status == 422
    (sentence,) = answer.issues
    assert told in sentence
    assert "6303520023" not in answer.body.decode()


def test_all_that_is_wrong_is_told_at_once(patch, nurse, patient) -> None:
    answer = patch(
        op("replace", "/name/0/family", "Holm"),
        op("replace", "/address/0/city", "Aarhus"),
        op("replace", "/identifier/0/value", "6303520023"),
    )

    assert answer.status == 422
    places = [one["expression"] for one in answer.json["issue"]]
    assert places == [["Patient.identifier"], ["Patient.name"], ["Patient.address"]]
    assert nurse.get(f"Patient/{patient['id']}").json == patient


def test_a_patient_keeps_a_cpr_number(patch) -> None:
    answer = patch(op("remove", "/identifier"))

    assert answer.status == 422
    assert answer.issues == ["The patient has no CPR number among the identifiers."]


def test_nobody_edits_a_patient_who_is_not_in_their_context(
    world, people, patient
) -> None:
    other = people(
        "PRACTITIONER", "Practitioner/1", "Patient/other", may="Patient.write"
    )

    answer = world.at("patient", other).patch(
        f"Patient/{patient['id']}", [op("remove", "/telecom")], JSON_PATCH
    )

    assert answer.status == 403


def test_patients_without_a_cpr_number_are_nobodys_but_their_keepers(world) -> None:
    """They come from elsewhere, and no register knows of them."""
    resource = {"resourceType": "Patient", "id": "x", "name": [{"family": "Berg"}]}
    world.put(resource)

    changed = world.put({**resource, "name": [{"family": "Holm"}]})

    assert changed["name"] == [{"family": "Holm"}]
