"""Measurements that are used again: what their Provenances say, and of what."""

import pytest

from fyr.core.testing.applications import Events

from .criteria import EHEALTH


def test_a_measurement_is_used_again_with_its_provenance(world, reusing) -> None:
    again, said = reusing()

    stored, provenance = world.submitted(again, said)

    assert provenance["target"] == [{"reference": f"Observation/{stored['id']}"}]
    policies = [
        one["policy"] for one in world.provenances(f"Observation/{stored['id']}")
    ]
    assert len(policies) == 2


def test_the_coherent_provenance_is_of_the_measurements_alone(world, reusing) -> None:
    again, said = reusing()

    stored, _ = world.submitted(again, said)

    (coherent,) = [
        one
        for one in world.provenances(f"Observation/{stored['id']}")
        if "coherent-submitted-measurement" in one["policy"][0]
    ]
    assert coherent["target"] == [{"reference": f"Observation/{stored['id']}"}]


def test_what_is_used_again_is_told_as_received_once(world, reusing) -> None:
    again, said = reusing()
    events = Events(world.built)
    events.new()

    world.submitted(again, said)

    made = [one.type for one in events.new()]
    assert made == ["Observation", "Provenance", "Provenance"]


def test_a_provenance_with_another_policy_is_refused(reusing, problems) -> None:
    again, said = reusing(provenance={"policy": ["healthcare-act"]})

    assert problems(again, said) == [
        (
            "A Provenance that is submitted has the policy of reuse by the citizen's"
            " choice.",
            "Bundle.entry[1].resource.policy",
        )
    ]


def test_a_provenance_with_two_targets_is_refused(reusing, problems) -> None:
    again, said = reusing()
    said["target"] *= 2

    assert (
        "A Provenance has one target.",
        "Bundle.entry[1].resource.target",
    ) in problems(again, said)


def test_a_provenance_with_two_entities_is_refused(reusing, problems) -> None:
    again, said = reusing()
    said["entity"] *= 2

    assert (
        "A Provenance has one entity.",
        "Bundle.entry[1].resource.entity",
    ) in problems(again, said)


def test_a_provenance_without_entity_is_refused(reusing, problems) -> None:
    again, said = reusing()
    del said["entity"]

    assert problems(again, said) == [
        ("A Provenance has one entity.", "Bundle.entry[1].resource.entity")
    ]


def test_a_target_that_is_not_submitted_is_refused(reusing, problems) -> None:
    again, said = reusing(provenance={"target": [{"reference": "urn:uuid:8a"}]})

    assert problems(again, said) == [
        (
            "A Provenance refers to urn:uuid:8a, which is not in the Bundle.",
            "Bundle.entry[1].resource.target[0]",
        )
    ]


@pytest.mark.parametrize(
    "entity", ["Observation/nowhere", "Patient/patient-1", "urn:x"]
)
def test_an_entity_that_is_no_measurement_is_refused(reusing, problems, entity) -> None:
    again, said = reusing()
    said["entity"][0]["what"] = {"reference": entity}

    assert problems(again, said) == [
        (f"{entity} cannot be used.", "Bundle.entry[1].resource.entity[0].what")
    ]


def test_a_measurement_that_was_invalidated_is_not_used_again(
    world, reusing, problems
) -> None:
    again, said = reusing()
    name = said["entity"][0]["what"]["reference"]
    world.everything.patch(
        name,
        [{"op": "replace", "path": "/status", "value": "entered-in-error"}],
        "application/json-patch+json",
    )

    ((text, _),) = problems(again, said)

    assert text == f"{name} cannot be used."


def test_target_and_entity_of_several_types_are_refused(
    world, reusing, problems
) -> None:
    again, said = reusing()
    asked, order = world.a_questionnaire()
    (answers,) = world.submitted(world.response(asked, order))
    said["entity"][0]["what"] = {"reference": f"QuestionnaireResponse/{answers['id']}"}

    assert ("Target and entity of a Provenance are of one type.") in [
        text for text, _ in problems(again, said)
    ]


def test_a_measurement_of_another_patient_is_not_used_again(
    world, reusing, problems
) -> None:
    again, said = reusing()
    mine = (world.patient, world.episode)
    world.patient = world.put("Patient")["id"]
    world.episode = world.an_episode(world.patient)
    (other,) = world.submitted(world.observation(world.an_order()))
    world.patient, world.episode = mine
    said["entity"][0]["what"] = {"reference": f"Observation/{other['id']}"}

    assert problems(again, said) == [
        (
            "Target and entity of a Provenance are of one patient.",
            "Bundle.entry[1].resource.entity[0].what",
        )
    ]


@pytest.mark.parametrize("when", ["2026-01-08T08:31:00+01:00", "2026-01-07"])
def test_target_and_entity_have_one_date(reusing, problems, when) -> None:
    again, said = reusing(target={"effectiveDateTime": when})

    assert [text for text, _ in problems(again, said)] == [
        "Target and entity of a Provenance have one date."
    ]


def test_the_same_moment_in_another_zone_is_the_same_date(world, reusing) -> None:
    again, said = reusing(target={"effectiveDateTime": "2026-01-08T07:30:00Z"})

    assert world.submit(again, said).status == 200


def test_the_date_that_a_provenance_tells_is_that_of_the_entity(
    reusing, problems
) -> None:
    again, said = reusing()
    said["entity"][0]["extension"] = [
        {
            "url": f"{EHEALTH}provenance-dateTimeOfReusedEntity",
            "valueDateTime": "2026-01-01T08:00:00Z",
        }
    ]

    assert [text for text, _ in problems(again, said)] == [
        "Target and entity of a Provenance have one date."
    ]


def test_what_is_used_again_cannot_be_used_again(world, reusing, problems) -> None:
    again, said = reusing()
    stored, _ = world.submitted(again, said)
    said["entity"][0]["what"] = {"reference": f"Observation/{stored['id']}"}

    assert [text for text, _ in problems(again, said)] == [
        "The entity of the Provenance reuses a measurement itself, so it cannot be"
        " reused."
    ]
