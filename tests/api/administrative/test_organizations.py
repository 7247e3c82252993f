"""Organizations: what clients may write, and what is found above and beside them."""

import pytest

CVR = "urn:oid:2.16.840.1.113883.2.24.1.1"
SSL = "http://ehealth.sundhed.dk/organization/ssl"
EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
PROVIDERS = "urn:oid:1.2.208.176.1.4"
JSON_PATCH = "application/json-patch+json"


def source(code):
    system = "http://ehealth.sundhed.dk/cs/organization-source"
    concept = {"coding": [{"system": system, "code": code}]}
    return {"url": f"{EHEALTH}organization-source", "valueCodeableConcept": concept}


def organization(identity="", code="manual", **more):
    made = {
        "resourceType": "Organization",
        "extension": [source(code)],
        "identifier": [{"system": CVR, "value": "11111111"}],
        "name": "Sundhedscenter Nord",
        **more,
    }
    return {**made, "id": identity} if identity else made


def practice(identity, number, parent="", **more):
    provider = {
        "url": f"{EHEALTH}organization-providerIdentifier",
        "valueString": number,
    }
    part = {"partOf": {"reference": f"Organization/{parent}"}} if parent else {}
    made = organization(identity, "SOR", **part, **more)
    return {**made, "extension": [*made["extension"], provider]}


@pytest.fixture
def editor(world, people):
    """A client of somebody who may write organizations."""
    may = "Organization.write Organization.patch"
    return world.at("organization", people("PRACTITIONER", "Practitioner/1", may=may))


# what may be written


def test_an_organization_of_ones_own_is_written(editor, recorded) -> None:
    sent = recorded["PUT_Organization"]["request_body"]
    made = editor.create({k: v for k, v in sent.items() if k not in ("id", "meta")})

    assert made.status == 201
    changed = editor.update({**made.json, "name": "Sundhedscenter Syd"})
    assert changed.status == 200


@pytest.mark.parametrize("code", ["SOR", "STS-ORG"])
def test_an_organization_of_a_register_is_not_written(world, editor, code) -> None:
    stored = world.put(organization("north", code))

    created = editor.create(organization(code=code))
    updated = editor.update({**stored, "name": "Sundhedscenter Syd"})
    rename = [{"op": "replace", "path": "/name", "value": "Syd"}]
    patched = editor.patch("Organization/north", rename, JSON_PATCH)

    for answer in (created, updated, patched):
        assert answer.status == 422
        assert answer.issues == [
            "Only an organization whose source is manual can be written here."
        ]


def test_nobody_takes_an_organization_away_from_its_register(world, editor) -> None:
    stored = world.put(organization("north", "SOR"))

    answer = editor.update({**stored, "extension": [source("manual")]})

    assert answer.status == 422


def test_an_organization_of_ones_own_has_a_cvr_number_and_no_others_identifiers(
    editor,
) -> None:
    sor = {"system": "urn:oid:1.2.208.176.1.1", "value": "7"}

    answer = editor.create(organization(identifier=[sor]))

    assert answer.status == 422
    assert [one["expression"] for one in answer.json["issue"]] == [
        ["Organization.identifier[0].system"],
        ["Organization.identifier"],
    ]


def test_two_organizations_do_not_have_one_identifier(editor) -> None:
    mine = [
        {"system": CVR, "value": "11111111"},
        {"system": SSL, "value": "a,b|c"},
    ]
    first = editor.create(organization(identifier=mine))
    assert first.status == 201

    second = editor.create(organization(identifier=mine))

    assert second.status == 422
    assert second.issues == ["Another organization has this identifier: a,b|c"]
    assert editor.update({**first.json, "name": "Again"}).status == 200


def test_organizations_are_not_written_without_the_privilege(world, people) -> None:
    poor = world.at("organization", people("PRACTITIONER", "Practitioner/1"))
    citizen = people("PATIENT", "Patient/1", "Patient/1", may="Organization.write")

    assert poor.create(organization()).status == 403
    assert world.at("organization", citizen).create(organization()).status == 403


# $traverse-to-sor


def test_the_sor_organization_above_is_found(world, people, recorded) -> None:
    told = recorded["GET_Organization_traverse-to-sor"]["response_body"]
    world.put({**told, "id": "424"})
    world.put(organization("425", partOf={"reference": "Organization/424"}))
    world.put(organization("427", partOf={"reference": "Organization/425"}))
    client = world.at("organization", people("PATIENT", "Patient/1", "Patient/1"))

    answer = client.get("Organization/427/$traverse-to-sor")

    assert answer.status == 200
    assert answer.json["id"] == "424"
    assert set(answer.json) == set(told)
    assert client.get("Organization/424/$traverse-to-sor").json["id"] == "424"


def test_an_organization_that_is_said_to_be_one_of_sor_leads_to_it(
    world, people
) -> None:
    kind = {"coding": [{"code": "related-to-SOR"}]}

    def related(target, **period):
        return {
            "url": f"{EHEALTH}organization-relatedTo",
            "extension": [
                {
                    "url": "target",
                    "valueReference": {"reference": f"Organization/{target}"},
                },
                {"url": "relationType", "valueCodeableConcept": kind},
                {"url": "period", "valuePeriod": {"start": "2020-01-01", **period}},
            ],
        }

    for name in ("then", "now"):
        world.put(organization(name, "SOR"))
    extensions = [related("then", end="2021-01-01"), related("now")]
    made = organization("town", "STS-ORG")
    world.put({**made, "extension": [*made["extension"], *extensions]})
    client = world.at("organization", people("PRACTITIONER", "Practitioner/1"))

    assert client.get("Organization/town/$traverse-to-sor").json["id"] == "now"


def test_without_one_of_sor_above_there_is_nothing_to_be_found(world, people) -> None:
    """Also where parents go in a circle."""
    world.put(organization("a", partOf={"reference": "Organization/b"}))
    world.put(organization("b", partOf={"reference": "Organization/a"}))
    client = world.at("organization", people("PRACTITIONER", "Practitioner/1"))

    answer = client.get("Organization/a/$traverse-to-sor")

    assert answer.status == 404
    assert answer.issues == ["No SOR organization is found above Organization/a."]


# $get-general-practitioner-info


@pytest.fixture
def ask(world, people):
    client = world.at("organization", people("PRACTITIONER", "Practitioner/1"))

    def asked(*numbers, system=PROVIDERS):
        parameters = [
            {
                "name": "organization",
                "valueReference": {"identifier": {"system": system, "value": one}},
            }
            for one in numbers
        ]
        body = {"resourceType": "Parameters", "parameter": parameters}
        return client.post("Organization/$get-general-practitioner-info", body)

    return asked


def test_the_practice_with_a_provider_number_is_found(world, ask) -> None:
    world.put(practice("a", "990001"))
    world.put(practice("b", "9900011"))
    world.put(practice("c", "990001", active=False))

    assert ask("990001").json["id"] == "a"
    assert ask("990001", "990001").json["id"] == "a"


def test_of_several_with_one_number_that_is_found_which_they_are_part_of(
    world, ask
) -> None:
    world.put(organization("house", "SOR"))
    world.put(practice("a", "990001", "house"))
    world.put(practice("b", "990001", "house"))

    assert ask("990001").json["id"] == "house"


def test_several_with_one_number_and_no_house_in_common_are_refused(world, ask) -> None:
    world.put(practice("a", "990001"))
    world.put(practice("b", "990001"))

    answer = ask("990001")

    assert answer.status == 422
    assert answer.issues == [
        "The organizations with the provider number 990001 have no parent in common."
    ]


def test_what_is_asked_is_one_number_that_somebody_has(ask) -> None:
    nobody = ask("990009")
    several = ask("990001", "990002")
    none = ask("990001", system="urn:oid:1.2.3")

    assert [one.status for one in (nobody, several, none)] == [422] * 3
    assert nobody.issues == ["No active organization has the provider number 990009."]
    assert "several provider numbers: 990001, 990002" in several.issues[0]
    assert "None of these organizations" in none.issues[0]
