"""Care teams: what clients may write, and who takes part in them after a login."""

import pytest

URI = "urn:ietf:rfc:3986"
UUID = "urn:uuid:0554191e-a45e-47ca-b267-a116af640a04"
OTHER = "urn:uuid:0554191e-a45e-47ca-b267-a116af640a05"
ROLES = "http://ehealth.sundhed.dk/cs/careteam-participant-role"
WHY = [{"coding": [{"system": "urn:oid:1.2.208.176.2.4", "code": "DJ44"}]}]


def role(code):
    return {"coding": [{"system": ROLES, "code": code}]}


def participant(reference, *codes):
    return {
        "member": {"reference": reference},
        "role": [role(one) for one in codes or ("clinicalViewer",)],
    }


def team(identity="", uuid=UUID, *members, **more):
    made = {
        "resourceType": "CareTeam",
        "identifier": [{"system": URI, "value": uuid}],
        "status": "active",
        "name": "KOL Nord",
        "reasonCode": WHY,
        **more,
    }
    if members:
        made["participant"] = [participant(one) for one in members]
    return {**made, "id": identity} if identity else made


@pytest.fixture
def editor(world, people):
    """A client of somebody who may write care teams."""
    may = "CareTeam.write CareTeam.read"
    return world.at("organization", people("PRACTITIONER", "Practitioner/1", may=may))


def test_a_care_team_is_written_as_it_was_recorded(editor, recorded) -> None:
    sent = recorded["POST_CareTeam"]["request_body"]

    made = editor.create(sent)

    assert made.status == 201
    assert made.json["identifier"] == sent["identifier"]
    assert editor.update({**made.json, "name": "KOL Syd"}).status == 200
    assert editor.delete(f"CareTeam/{made.json['id']}").status in (200, 204)


@pytest.mark.parametrize(
    "identifier",
    [[], [{"system": "urn:oid:1", "value": UUID}], [{"system": URI, "value": "north"}]],
)
def test_a_care_team_has_a_uuid_that_tokens_name_it_by(editor, identifier) -> None:
    sent = team()
    sent["identifier"] = identifier
    if not identifier:
        del sent["identifier"]

    answer = editor.create(sent)

    assert answer.status == 422
    assert answer.issues == [
        "The care team needs an identifier whose system is urn:ietf:rfc:3986."
    ]


def test_all_that_is_wrong_with_a_care_team_is_told_at_once(editor) -> None:
    focus = {
        "url": "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-useContext",
        "valueUsageContext": {
            "code": {"code": "focus"},
            "valueCodeableConcept": {"text": "x"},
        },
    }
    sent = {"resourceType": "CareTeam", "status": "active", "extension": [focus]}

    answer = editor.create(sent)

    assert answer.status == 422
    assert [one["expression"] for one in answer.json["issue"]] == [
        ["CareTeam.identifier"],
        ["CareTeam.reasonCode"],
        ["CareTeam.extension"],
    ]


def test_care_teams_take_part_in_care_teams_and_never_in_themselves(
    world, editor
) -> None:
    world.put(team("a", UUID, "CareTeam/b"))
    world.put(team("b", OTHER, "CareTeam/c"))
    world.put(team("c", OTHER, "Practitioner/1"))

    circle = editor.update(team("c", OTHER, "CareTeam/a"))
    itself = editor.update(team("c", OTHER, "CareTeam/c"))
    beside = editor.update(team("a", UUID, "CareTeam/b", "CareTeam/c"))

    assert circle.status == 422
    assert itself.status == 422
    assert "does not take part in itself" in circle.issues[0]
    assert beside.status == 200


def test_care_teams_are_not_written_without_the_privilege_nor_by_citizens(
    world, people
) -> None:
    poor = people("PRACTITIONER", "Practitioner/1", may="CareTeam.read")
    citizen = people("PATIENT", "Patient/1", "Patient/1", may="CareTeam.write")

    for one in (poor, citizen):
        assert world.at("organization", one).create(team()).status == 403


# $persist-login


@pytest.fixture
def issuer(world, people):
    """A client of whoever issues tokens."""
    return world.at("organization", people("SYSTEM", may="$persist-login"))


def test_a_login_as_it_was_recorded_adds_a_role_and_answers_an_empty_bundle(
    world, issuer, recorded
) -> None:
    exchange = recorded["POST_persist-login"]
    world.put(team("145"))
    sent = exchange["request_body"]
    (entry,) = sent["parameter"]
    (told,) = entry["resource"]["participant"]
    told["member"]["reference"] = (
        "https://fyr.example.org/organization/fhir/Practitioner/147"
    )

    answer = issuer.post("$persist-login", sent)

    assert answer.status == 200
    assert answer.json == exchange["response_body"]
    (stored,) = world.system.get("CareTeam/145").json["participant"]
    assert stored["member"]["reference"].endswith("Practitioner/147")
    assert stored["role"] == told["role"]


def test_roles_are_added_and_none_is_taken_away_nor_told_twice(world, issuer) -> None:
    before = team("145")
    before["participant"] = [participant("Practitioner/147", "clinicalViewer")]
    world.put(before)
    login = {
        "resourceType": "CareTeam",
        "identifier": [{"system": URI, "value": UUID}],
        "participant": [
            participant("Practitioner/147", "clinicalViewer", "monitoringAssistor"),
            participant("Practitioner/9", "clinicalViewer"),
        ],
    }

    first = world.operation(issuer, "$persist-login", careTeam__resource=login)
    world.events.new()
    again = world.operation(issuer, "$persist-login", careTeam__resource=login)

    assert (first.status, again.status) == (200, 200)
    stored = world.system.get("CareTeam/145").json["participant"]
    assert [len(one["role"]) for one in stored] == [2, 1]
    assert world.events.new() == []


def test_a_practitioner_role_is_made_once(world, issuer) -> None:
    role = {
        "resourceType": "PractitionerRole",
        "practitioner": {
            "reference": "https://fyr.example.org/organization/fhir/Practitioner/147"
        },
        "organization": {
            "reference": "https://fyr.example.org/organization/fhir/Organization/1"
        },
    }

    first = world.operation(issuer, "$persist-login", practitionerRole__resource=role)
    again = world.operation(issuer, "$persist-login", practitionerRole__resource=role)

    (made,) = first.resources
    assert made["practitioner"]["reference"].endswith("Practitioner/147")
    assert again.json == {"resourceType": "Bundle", "type": "collection"}


def test_a_login_with_a_team_that_is_not_here_changes_nothing(world, issuer) -> None:
    role = {
        "resourceType": "PractitionerRole",
        "practitioner": {"reference": "Practitioner/147"},
        "organization": {"reference": "Organization/1"},
    }

    answer = world.operation(
        issuer,
        "$persist-login",
        practitionerRole__resource=role,
        careTeam__resource={"resourceType": "CareTeam", "id": "gone"},
    )

    assert answer.status == 400
    assert world.events.new() == []


def test_logins_are_kept_for_nobody_without_the_privilege(world, people) -> None:
    client = world.at("organization", people("SYSTEM", may="CareTeam.write"))

    answer = world.operation(
        client, "$persist-login", careTeam__resource={"resourceType": "CareTeam"}
    )

    assert answer.status == 403


def test_practitioners_let_nobody_in_by_a_login(world, people) -> None:
    nurse = people("PRACTITIONER", "Practitioner/1", may="$persist-login")
    client = world.at("organization", nurse)

    answer = world.operation(
        client, "$persist-login", careTeam__resource={"resourceType": "CareTeam"}
    )

    assert answer.status == 403
