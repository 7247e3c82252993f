"""``$submit-measurement``: orders that a measurement cannot be for."""

import pytest


@pytest.mark.parametrize("version", ["0", "01", "first", "v2"])
def test_what_cannot_be_a_version_of_the_order_is_refused(
    world, problems, make, version
) -> None:
    timing, order = make.timing(), world.an_order()
    timing["extension"][0]["valueId"] = version

    assert problems(world.observation(order, timing=timing)) == [
        (
            f"There is no ServiceRequest with the id {order}/_history/{version}.",
            "Bundle.entry[0].resource.extension[1].extension[0].value",
        )
    ]


def test_a_version_of_the_order_that_is_not_there_is_stored_with_a_warning(
    world, make
) -> None:
    timing, order = make.timing(), world.an_order()
    timing["extension"][0]["valueId"] = "42"

    answer = world.submit(
        world.observation(order), world.observation(order, timing=timing)
    )

    assert answer.status == 200, answer.body
    first, second = (one["response"] for one in answer.json["entry"])
    assert "outcome" not in first
    assert second["outcome"]["issue"] == [
        {
            "severity": "warning",
            "code": "processing",
            "diagnostics": f"There is no ServiceRequest with the id {order}/_history/42.",
            "expression": ["Observation.extension[1].extension[0].value"],
        }
    ]


def test_earlier_versions_of_the_order_are_taken(world, make) -> None:
    since = {"start": "2026-01-01T08:00:00+01:00"}
    order = world.an_order(occurrencePeriod=since)
    world.an_order(id=order, occurrencePeriod=since, priority="routine")
    timing = make.timing()

    for version in ("1", "2"):
        timing["extension"][0]["valueId"] = version
        answer = world.submit(world.observation(order, timing=timing))
        assert answer.status == 200, answer.body


@pytest.mark.parametrize("status", ["draft", "on-hold", "completed", "revoked"])
def test_a_measurement_for_an_order_that_is_not_active_is_refused(
    world, problems, status
) -> None:
    order = world.an_order(status=status)

    assert problems(world.observation(order)) == [
        (
            f"ServiceRequest {order} is not active.",
            "Bundle.entry[0].resource.basedOn[0]",
        )
    ]


def test_a_measurement_for_an_order_that_is_not_there_is_refused(
    world, problems
) -> None:
    assert problems(world.observation("nowhere")) == [
        (
            "There is no ServiceRequest with the id nowhere.",
            "Bundle.entry[0].resource.basedOn[0]",
        )
    ]


@pytest.mark.parametrize("based_on", [None, [], 2])
def test_a_measurement_is_based_on_one_order(world, refused, based_on) -> None:
    orders = [{"reference": f"ServiceRequest/{world.an_order()}"} for _ in range(2)]
    observation = world.observation("x", basedOn=orders if based_on == 2 else None)

    ((_, place),) = refused(world.submit(observation))

    assert place == "Bundle.entry[0].resource.basedOn"


def test_an_order_of_another_patient_is_refused(world, problems) -> None:
    other = world.put("Patient")["id"]
    order = world.an_order(subject={"reference": f"Patient/{other}"})

    ((text, place),) = problems(world.observation(order))

    assert text == "The measurements are of another patient than the episode of care."
    assert place == "Bundle.entry[0].resource.basedOn[0]"


def test_an_order_of_another_episode_is_refused(world, problems) -> None:
    mine = world.episode
    world.episode = world.an_episode(world.patient)
    order = world.an_order()

    ((text, place),) = problems(world.observation(order, episode=mine))

    assert text == "The measurements belong to several episodes of care."
    assert place == "Bundle.entry[0].resource.basedOn[0]"


def test_an_observation_of_something_else_than_was_ordered_is_refused(
    world, problems, make
) -> None:
    order = world.an_order("NPU03804")

    assert problems(world.observation(order)) == [
        (
            f"The Observation has another code than ServiceRequest {order} asks for.",
            "Bundle.entry[0].resource.code",
        )
    ]


@pytest.mark.parametrize("code", ["DNK05472", "DNK05473"])
def test_an_order_of_blood_pressure_at_home_asks_for_both_pressures(
    world, make, code
) -> None:
    order = world.an_order("ZZ3170", system="urn:oid:1.2.208.176.2.4")
    pressure = make.concept("urn:oid:1.2.208.176.2.1", code)

    assert world.submit(world.observation(order, code=pressure)).status == 200
