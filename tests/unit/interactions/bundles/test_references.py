"""References between the entries of a transaction."""

import pytest

from fyr.core.errors import (
    FyrError,
    MultipleMatches,
    PreconditionFailed,
)

from .words import entry, patient


def test_references_between_entries_follow_the_ids_they_get(world) -> None:
    narrative = (
        '<div xmlns="http://www.w3.org/1999/xhtml"><a href="urn:uuid:o">o</a></div>'
    )
    answer = world.carry_out(
        "transaction",
        entry(
            "POST",
            "Patient",
            patient(
                managingOrganization={"reference": "urn:uuid:o"},
                text={"status": "generated", "div": narrative},
                extension=[
                    {"url": "http://example.org/x", "valueUri": "urn:uuid:o"},
                    {"url": "http://example.org/x", "valueCanonical": "urn:uuid:o"},
                    {"url": "http://example.org/x", "valueString": "urn:uuid:o"},
                ],
            ),
            "urn:uuid:p",
        ),
        entry(
            "POST",
            "Organization",
            {"resourceType": "Organization", "name": "x"},
            "urn:uuid:o",
        ),
        returns="representation",
    )

    first, second = (one["resource"] for one in answer)
    name = f"Organization/{second['id']}"
    values = [list(one.values())[1] for one in first["extension"]]
    assert first["managingOrganization"]["reference"] == name
    assert f'href="{name}"' in first["text"]["div"]
    assert values == [name, "urn:uuid:o", "urn:uuid:o"]


def test_circular_and_versioned_references_are_resolved(world) -> None:
    world.update({"resourceType": "Organization", "id": "o", "name": "x"})
    answer = world.carry_out(
        "transaction",
        entry(
            "POST",
            "Patient",
            patient(managingOrganization={"reference": "urn:uuid:o/_history/1"}),
            "urn:uuid:p",
        ),
        entry(
            "PUT",
            "Organization/o",
            {
                "resourceType": "Organization",
                "id": "o",
                "name": "x",
                "extension": [
                    {
                        "url": "http://example.org/x",
                        "valueReference": {"reference": "urn:uuid:p"},
                    }
                ],
            },
            "urn:uuid:o",
        ),
        returns="representation",
    )

    first, second = (one["resource"] for one in answer)
    reference = second["extension"][0]["valueReference"]["reference"]
    assert first["managingOrganization"]["reference"] == "Organization/o/_history/2"
    assert reference == f"Patient/{first['id']}"


def test_relative_references_follow_entries_of_another_server(world) -> None:
    base = "http://elsewhere.example.org/fhir"
    answer = world.carry_out(
        "transaction",
        entry(
            "POST",
            "Patient",
            patient(managingOrganization={"reference": "Organization/7"}),
            f"{base}/Patient/5",
        ),
        entry(
            "POST",
            "Organization",
            {"resourceType": "Organization", "name": "x"},
            f"{base}/Organization/7",
        ),
        returns="representation",
    )

    first, second = (one["resource"] for one in answer)
    name = f"Organization/{second['id']}"
    assert first["managingOrganization"]["reference"] == name


def test_conditional_references_find_what_is_stored_and_what_is_sent(world) -> None:
    stored = world.create(
        {"resourceType": "Organization", "identifier": [{"value": "old"}]}
    ).stored
    answer = world.carry_out(
        "transaction",
        entry(
            "POST",
            "Patient",
            patient(managingOrganization={"reference": "Organization?identifier=old"}),
        ),
        entry(
            "POST",
            "Patient",
            patient(managingOrganization={"reference": "Organization?identifier=new"}),
        ),
        entry(
            "POST",
            "Organization",
            {"resourceType": "Organization", "identifier": [{"value": "new"}]},
        ),
        returns="representation",
    )

    references = [
        one["resource"]["managingOrganization"]["reference"] for one in answer[:2]
    ]
    assert references == [
        f"Organization/{stored.id}",
        f"Organization/{answer[2]['resource']['id']}",
    ]


@pytest.mark.parametrize(
    ("matches", "refusal"), [(0, PreconditionFailed), (2, MultipleMatches)]
)
def test_a_conditional_reference_to_none_or_several_refuses_all(
    world, matches, refusal
) -> None:
    for _ in range(matches):
        world.create({"resourceType": "Organization", "identifier": [{"value": "o"}]})

    with pytest.raises(refusal) as caught:
        world.carry_out(
            "transaction",
            entry("POST", "Basic", {"resourceType": "Basic", "code": {"text": "x"}}),
            entry(
                "POST",
                "Patient",
                patient(
                    managingOrganization={"reference": "Organization?identifier=o"}
                ),
            ),
        )

    place = "Bundle.entry[1].resource.managingOrganization.reference"
    assert caught.value.issues[0].expression == (place,)
    assert "entry" not in world.history("Basic")


@pytest.mark.parametrize("query", ["identifier=%ff", "nonsense=1"])
def test_a_conditional_reference_that_is_no_search_is_told_with_its_place(
    world, query
) -> None:
    referring = patient(managingOrganization={"reference": f"Organization?{query}"})

    with pytest.raises(FyrError) as caught:
        world.carry_out("transaction", entry("POST", "Patient", referring))

    place = "Bundle.entry[0].resource.managingOrganization.reference"
    assert caught.value.issues[0].expression == (place,)


def test_references_follow_an_entry_whose_resource_was_there_already(world) -> None:
    identity = world.create(patient("there")).stored.id

    answer = world.carry_out(
        "transaction",
        entry(
            "POST",
            "Patient",
            patient("there"),
            "urn:uuid:p",
            ifNoneExist="identifier=there",
        ),
        entry(
            "POST",
            "Basic",
            {
                "resourceType": "Basic",
                "code": {"text": "x"},
                "subject": {"reference": "urn:uuid:p"},
            },
        ),
        returns="representation",
    )

    assert answer[1]["resource"]["subject"]["reference"] == f"Patient/{identity}"


def test_a_reference_that_no_entry_answers_stays_as_it_is(world) -> None:
    reference = {"reference": "urn:uuid:6f8a3c1e-8d2b-4a53-9b61-0f0c4b1f7a11"}

    world.carry_out(
        "transaction",
        entry("PUT", "Patient/u", patient(id="u", managingOrganization=reference)),
    )

    stored = world.read("Patient", "u").resource()
    assert stored["managingOrganization"] == reference
