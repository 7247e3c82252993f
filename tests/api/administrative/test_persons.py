"""Person/$match and Patient/$createPatient: who somebody is, by their CPR number."""

import json

import pytest

from fyr.core import Plugin, Unavailable, hookimpl
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.clock import FakeClock
from fyr.plugins.administrative.cpr import CPR

BERG = "7705480012"
LUND, LUND_BEFORE = "7211610034", "7211610048"
DEAD = "6907390045"
NOBODY = "6101010101"
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"


def shape(value):
    """Tell the form of an answer: members and lists, without what is in them."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return type(value).__name__


def the_person(answer):
    (entry,) = answer.json["entry"]
    return entry["resource"]


def numbers(resource):
    return {one["value"]: one["use"] for one in resource["identifier"]}


# Person/$match


def test_a_patient_who_is_here_is_matched_with_a_link_and_certainly(
    world, enroller
) -> None:
    client = world.at("patient", enroller)
    patient = world.create_patient(client, BERG).json

    answer = world.match(client, BERG)

    assert answer.status == 200
    (entry,) = answer.json["entry"]
    assert entry["resource"]["link"] == [
        {
            "target": {
                "reference": f"https://fyr.example.org/patient/fhir/Patient/{patient['id']}"
            },
            "assurance": "level4",
        }
    ]
    assert entry["search"] == {
        "extension": [{"url": GRADE, "valueCode": "certain"}],
        "mode": "match",
        "score": 1.0,
    }


def test_a_match_has_the_form_that_was_recorded(world, enroller, recorded) -> None:
    exchange = recorded["POST_Person"]
    asked, answered = exchange["request_body"], exchange["response_body"]
    (told,) = [entry["resource"] for entry in answered["entry"]]
    world.put(
        {
            "resourceType": "Patient",
            "id": "102",
            "identifier": told["identifier"],
            "name": told["name"],
            "gender": "unknown",
        }
    )

    answer = world.at("patient", enroller).post("Person/$match", asked)

    assert shape(answer.json) == shape(answered)
    assert answer.json["entry"][0]["search"] == answered["entry"][0]["search"]
    assert the_person(answer)["name"] == told["name"]


def test_somebody_whom_only_the_register_knows_is_told_without_a_link_and_not_kept(
    world, enroller
) -> None:
    answer = world.match(world.at("patient", enroller), BERG)

    person = the_person(answer)
    assert person["name"] == [
        {"use": "official", "family": "Berg", "given": ["Åse", "Marie"]}
    ]
    assert numbers(person) == {BERG: "official"}
    assert not {"link", "gender", "birthDate", "address", "telecom"} & set(person)
    assert world.system.get("Patient").resources == []


def test_a_match_tells_that_somebody_has_died(world, enroller) -> None:
    person = the_person(world.match(world.at("patient", enroller), DEAD))

    (died,) = person["extension"]
    assert died["url"].endswith("extension-Person.deceased")
    assert died["valueDateTime"] == "2024-02-20"


def test_a_number_of_before_leads_to_the_patient_who_has_a_new_one(
    world, enroller
) -> None:
    client = world.at("patient", enroller)
    world.create_patient(client, LUND)

    person = the_person(world.match(client, LUND_BEFORE))

    assert person["link"]
    assert numbers(person) == {LUND: "official"}


def test_a_number_that_nobody_has_matches_nobody(world, enroller) -> None:
    answer = world.match(world.at("patient", enroller), NOBODY)

    assert answer.status == 200
    assert answer.json["total"] == 0
    (entry,) = answer.json["entry"]
    assert entry["search"] == {"mode": "outcome"}
    assert "nobody" in entry["resource"]["issue"][0]["diagnostics"]


def test_a_number_may_be_written_with_a_hyphen(world, enroller) -> None:
    answer = world.match(world.at("patient", enroller), f"{BERG[:6]}-{BERG[6:]}")

    assert numbers(the_person(answer)) == {BERG: "official"}


@pytest.mark.parametrize(
    "identifiers",
    [[], [{"system": "urn:oid:1.2.3", "value": BERG}], [{"system": CPR, "value": "7"}]],
)
def test_a_match_without_a_cpr_number_is_refused(world, enroller, identifiers) -> None:
    person = {"resourceType": "Person", "identifier": identifiers}
    if not identifiers:
        del person["identifier"]

    answer = world.operation(
        world.at("patient", enroller), "Person/$match", resource__resource=person
    )

    assert answer.status == 400
    assert answer.issues == ["Give the CPR number of the person."]


# Patient/$createPatient


def test_a_citizen_becomes_a_patient_with_what_the_register_knows(
    world, enroller
) -> None:
    answer = world.create_patient(world.at("patient", enroller), BERG)

    assert answer.status == 200
    patient = answer.json
    assert patient["meta"]["profile"] == [
        "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-patient"
    ]
    assert numbers(patient) == {BERG: "official"}
    assert patient["gender"] == "female"
    assert patient["birthDate"] == "1948-05-17"
    assert patient["address"][0]["postalCode"] == "9990"
    assert {one["value"] for one in patient["telecom"]} == {"NemSMS", "eBoks"}
    (change,) = world.events.new()
    assert (change.type, change.id, change.method) == ("Patient", patient["id"], "POST")


def test_whoever_is_a_patient_already_is_answered_and_nothing_is_stored(
    world, enroller
) -> None:
    client = world.at("patient", enroller)
    first = world.create_patient(client, BERG).json
    world.events.new()

    again = world.create_patient(client, BERG)

    assert again.status == 200
    assert again.json == first
    assert world.events.new() == []


def test_a_patient_of_before_gets_the_new_number_and_keeps_the_rest(
    world, enroller
) -> None:
    local = {"system": "https://example.org/ward", "value": "W-7"}
    world.put(
        {
            "resourceType": "Patient",
            "id": "karin",
            "identifier": [
                {"use": "official", "system": CPR, "value": LUND_BEFORE},
                local,
            ],
            "name": [{"use": "official", "family": "Jensen", "given": ["Karin"]}],
            "gender": "female",
            "telecom": [{"system": "phone", "value": "+45 12345678"}],
        }
    )

    answer = world.create_patient(world.at("patient", enroller), LUND)

    patient = answer.json
    assert patient["id"] == "karin"
    assert numbers({"identifier": patient["identifier"][:2]}) == {
        LUND: "official",
        LUND_BEFORE: "old",
    }
    assert local in patient["identifier"]
    assert patient["name"][0]["family"] == "Lund"
    assert patient["telecom"] == [{"system": "phone", "value": "+45 12345678"}]
    assert patient["meta"]["versionId"] == "2"


def test_a_new_patient_may_have_another_number_than_was_asked_for(
    world, enroller
) -> None:
    patient = world.create_patient(world.at("patient", enroller), LUND_BEFORE).json

    assert numbers(patient) == {LUND: "official", LUND_BEFORE: "old"}


def test_nobody_becomes_a_patient_with_a_number_that_the_register_does_not_know(
    world, enroller
) -> None:
    answer = world.create_patient(world.at("patient", enroller), NOBODY)

    assert answer.status == 422
    assert answer.issues == ["The CPR register knows nobody with this number."]
    assert world.events.new() == []


def test_a_citizen_is_not_created_without_a_cpr_number(world, enroller) -> None:
    answer = world.operation(
        world.at("patient", enroller),
        "Patient/$createPatient",
        crn__valueIdentifier={"system": "urn:oid:1.2.3", "value": BERG},
    )

    assert answer.status == 400
    assert answer.issues == ["Give the CPR number of the person."]


def test_the_general_practitioner_is_referred_to_where_one_organization_has_the_number(
    world, enroller
) -> None:
    number = (
        "http://ehealth.sundhed.dk/fhir/StructureDefinition/"
        "ehealth-organization-providerIdentifier"
    )
    world.put(
        {
            "resourceType": "Organization",
            "id": "practice",
            "name": "Lægerne i Skagen",
            "extension": [{"url": number, "valueString": "990001"}],
        }
    )

    patient = world.create_patient(world.at("patient", enroller), BERG).json

    (practitioner,) = patient["generalPractitioner"]
    assert practitioner["reference"].endswith(
        "/organization/fhir/Organization/practice"
    )
    assert practitioner["identifier"]["value"] == "990001"


# who may


def test_neither_operation_is_for_somebody_without_its_privilege(world, people) -> None:
    client = world.at("patient", people("PRACTITIONER", "Practitioner/1"))

    assert world.match(client, BERG).status == 403
    assert world.create_patient(client, BERG).status == 403
    assert world.events.new() == []


def test_neither_operation_is_for_citizens(world, people) -> None:
    citizen = people(
        "PATIENT",
        "Patient/1",
        "Patient/1",
        may="Person$match Patient$createPatient",
    )
    client = world.at("patient", citizen)

    assert world.match(client, BERG).status == 403
    assert world.create_patient(client, BERG).status == 403


def test_nobody_is_told_anything_without_a_token(world) -> None:
    assert world.match(world.at("patient"), BERG).status == 401
    assert world.create_patient(world.at("patient"), BERG).status == 401


# the register


class Register(Plugin):
    """One that cannot be asked."""

    @hookimpl
    def look_up_person(self, system, number):
        raise Unavailable("the register does not answer")


def test_a_register_that_cannot_be_asked_is_no_proof_that_somebody_does_not_exist(
    tmp_path,
) -> None:
    options = {"plugins": {"enabled": ["search", "administrative"]}}
    settings = settings_with(options, tmp_path)
    with application(settings, FakeClock(), {"register": Register}) as built:
        crn = {"name": "crn", "valueIdentifier": {"system": CPR, "value": BERG}}
        body = {"resourceType": "Parameters", "parameter": [crn]}

        answer = client_of(built).post("Patient/$createPatient", body)

    assert answer.status == 503
    assert BERG not in json.dumps(answer.json)


def test_a_patient_who_is_here_is_found_though_there_is_no_register(tmp_path) -> None:
    options = {"plugins": {"enabled": ["search", "administrative"]}}
    with application(settings_with(options, tmp_path), FakeClock()) as built:
        client = client_of(built)
        identifier = {"use": "official", "system": CPR, "value": BERG}
        stored = client.create(
            {"resourceType": "Patient", "identifier": [identifier]}
        ).json
        crn = {"name": "crn", "valueIdentifier": {"system": CPR, "value": BERG}}
        body = {"resourceType": "Parameters", "parameter": [crn]}

        answer = client.post("Patient/$createPatient", body)

    assert answer.status == 200
    assert answer.json["id"] == stored["id"]
