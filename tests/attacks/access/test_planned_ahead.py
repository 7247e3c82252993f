"""What is planned ahead is done by Fyr itself: who plans it must be let do it."""

import json

import pytest

PATCH = "application/json-patch+json"
BASE = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"


def planned(kind: str, **part: object) -> dict[str, object]:
    return {
        "url": BASE + kind,
        "extension": [
            {"url": "scheduledTime", "valueDateTime": "2030-01-01T00:00:00Z"},
            *({"url": name, **value} for name, value in part.items()),
        ],
    }


def coming(kit) -> dict[str, object]:
    team = {"valueReference": kit.to(kit.url("CareTeam/b"))}
    return planned("teamschedule", careteam=team, addCareteam={"valueBoolean": True})


@pytest.fixture
def restored(world):
    """Put back what an attack changes."""
    kept = [world.everything.get(one).json for one in ("EpisodeOfCare/1", "CarePlan/1")]
    yield
    for one in kept:
        world.put(one)


@pytest.mark.parametrize("privilege", ["", " EpisodeOfCare$update-care-teams"])
def test_who_may_not_change_teams_lets_none_in_later(
    world, kit, decides, restored, privilege
) -> None:
    may = f"EpisodeOfCare.patch{privilege}"
    patch = json.dumps(
        [{"op": "add", "path": "/extension", "value": [coming(kit)]}]
    ).encode()
    for caller in (
        kit.nurse("a", 1, may=may),
        kit.citizen(1, "EpisodeOfCare/1", may=may),
    ):
        answer = world.at("careplan", caller).patch("EpisodeOfCare/1", patch, PATCH)

        refused = decides and not privilege
        assert answer.status == (403 if refused else 200), answer.body


@pytest.mark.parametrize("privilege", ["", " Careplan$update.responsibility"])
def test_nobody_is_let_in_to_a_plan_later(
    world, kit, decides, restored, privilege
) -> None:
    plan = world.everything.get("CarePlan/1").json
    plan["extension"].append(coming(kit))
    caller = kit.nurse("plan-1", 1, may=f"CarePlan.update{privilege}")

    answer = world.at("careplan", caller).update(plan)

    assert answer.status == (403 if decides and not privilege else 200), answer.body


def test_a_citizen_plans_no_step_that_is_not_for_citizens(world, kit, restored) -> None:
    mistake = planned(
        "episodeofcare-statusschedule", status={"valueCode": "entered-in-error"}
    )
    patch = json.dumps([{"op": "add", "path": "/extension", "value": [mistake]}])
    may = "EpisodeOfCare.patch"
    citizen = kit.citizen(1, "EpisodeOfCare/1", may=may)

    # That is the table of states, not a right: the server that decides nothing has it.
    answer = world.at("careplan", citizen).patch(
        "EpisodeOfCare/1", patch.encode(), PATCH
    )

    assert answer.status == 422, answer.body
    assert "no step of PATIENT" in answer.body.decode()
    nurse = kit.nurse("a", 1, may=may)
    answer = world.at("careplan", nurse).patch("EpisodeOfCare/1", patch.encode(), PATCH)
    assert answer.status == 200, answer.body
