"""Why a write fails is told to nobody who might not have made it."""

import pytest

REUSE = (
    "http://ehealth.sundhed.dk/policy/ehealth/reuse-of-measurement-chosen-by-citizen"
)
NEW = "urn:uuid:11111111-1111-4111-8111-111111111111"


def task(kit, episode: str, patient: str):
    """A task that nobody takes: it has no restriction category."""
    categories = "http://ehealth.sundhed.dk/cs/task-category"
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "for": kit.to(kit.url(patient)),
        "extension": [
            kit.extension(
                "task-episodeOfCare", valueReference=kit.to(kit.url(episode))
            ),
            kit.extension(
                "task-responsible", valueReference=kit.to(kit.url("CareTeam/a"))
            ),
            kit.extension(
                "task-category",
                valueCodeableConcept=kit.concept(
                    "MeasurementForAssessmentNotTriaged", categories
                ),
            ),
        ],
    }


def test_a_task_does_not_tell_whose_an_episode_of_care_is(world, kit, decides) -> None:
    nurse = world.at("task", kit.nurse("a", 1, may="Task.create"))

    answers = [
        nurse.create(task(kit, "EpisodeOfCare/2", f"Patient/{n}")) for n in (1, 2)
    ]

    assert [one.status for one in answers] == [403 if decides else 422] * 2
    assert (answers[0].json["issue"] == answers[1].json["issue"]) is decides
    # Who might have made it is told what is wrong.
    own = nurse.create(task(kit, "EpisodeOfCare/1", "Patient/1"))
    assert own.status == 422
    assert "restriction category" in own.issues[0]


def submission(kit, request: str, value: float, used_again: str = ""):
    """A measurement in episode 1, of one before or not."""
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": kit.concept("weight"),
        "subject": kit.to(kit.url("Patient/1")),
        "performer": [kit.to(kit.url("Patient/1"))],
        "effectiveDateTime": "2026-01-08T08:00:00Z",
        "valueQuantity": {"value": value},
        "extension": [
            kit.extension("episode", valueReference=kit.to(kit.url("EpisodeOfCare/1")))
        ],
        "basedOn": [kit.to(kit.url(request))],
    }
    entries = [{"fullUrl": NEW, "resource": observation}]
    if used_again:
        provenance = {
            "resourceType": "Provenance",
            "target": [kit.to(NEW)],
            "recorded": "2026-01-01T00:00:00Z",
            "policy": [REUSE],
            "agent": [{"who": kit.to(kit.url("Patient/1"))}],
            "entity": [{"role": "source", "what": kit.to(kit.url(used_again))}],
        }
        entries.append({"resource": provenance})
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "measurement", "resource": bundle}],
    }


@pytest.fixture
def elsewhere(world, kit):
    """A measurement of patient 1, and its order, in an episode of care of team b."""
    there = kit.extension(
        "episode", valueReference=kit.to(kit.url("EpisodeOfCare/elsewhere"))
    )

    def stored(kind: str, n: int = 1):
        kept = world.everything.get(f"{kind}/{n}").json
        return {name: one for name, one in kept.items() if name != "meta"}

    episode = {**stored("EpisodeOfCare", 2), "patient": kit.to("Patient/1")}
    world.put({**episode, "id": "elsewhere"})
    observation = {**stored("Observation"), "extension": [there]}
    value = {"valueQuantity": {"value": 77}}
    world.put({**observation, **value, "id": "elsewhere"})
    yield "Observation/elsewhere"
    world.everything.delete("Observation/elsewhere")
    world.everything.delete("EpisodeOfCare/elsewhere")


def test_no_value_is_guessed_by_using_a_measurement_again(
    world, kit, decides, elsewhere
) -> None:
    may = "$submit-measurement Observation.read"
    nurse = world.at("measurement", kit.nurse("a", 1, may=may))

    told = [
        nurse.post(
            "$submit-measurement", submission(kit, "ServiceRequest/1", n, elsewhere)
        ).json["issue"]
        for n in (77, 78)
    ]

    assert (told[0] == told[1]) is decides, told
    # Citizens use what is theirs, wherever it was measured, so they are told.
    citizen = world.at("measurement", kit.citizen(1, "EpisodeOfCare/1", may=may))
    told = [
        citizen.post(
            "$submit-measurement", submission(kit, "ServiceRequest/1", n, elsewhere)
        ).json["issue"]
        for n in (77, 78)
    ]
    assert told[0] != told[1]


def test_an_order_of_another_episode_tells_nothing_of_itself(world, kit) -> None:
    kept = world.everything.get("ServiceRequest/2").json
    nurse = world.at("measurement", kit.nurse("a", 1, may="$submit-measurement"))
    told = []
    for status in ("active", "completed"):
        world.put({**kept, "id": f"order-{status}", "status": status})

        answer = nurse.post(
            "$submit-measurement", submission(kit, f"ServiceRequest/order-{status}", 1)
        )

        assert answer.status in (403, 422)
        told.append(answer.json["issue"])
        world.everything.delete(f"ServiceRequest/order-{status}")

    assert told[0] == told[1]
