"""``$search-measurements``."""

import json
from pathlib import Path

import pytest

from .periods import EHEALTH, YEAR, day, measured_on, period, reference

RECORDED = Path(__file__).parents[5] / "shared/data/ig-exchanges.jsonl"
TAGS = "http://ehealth.sundhed.dk/cs/ehealth-system"


def test_what_was_submitted_together_is_found_together(world, found, mine) -> None:
    asked, order = world.a_questionnaire()
    one, two = world.submitted(
        world.observation(world.an_order()), world.response(asked, order)
    )
    (alone,) = world.submitted(world.observation(world.an_order()))

    bundles = found(mine, period(**YEAR))

    assert sorted(bundles, key=len) == [[alone["id"]], [one["id"], two["id"], asked]]


def test_what_does_not_match_itself_comes_with_what_does(world, found, mine) -> None:
    old, new = world.submitted(
        world.observation(world.an_order(), effectiveDateTime=day(1)),
        world.observation(world.an_order(), effectiveDateTime=day(5)),
    )

    bundles = found(mine, period(start="2026-01-04"))

    assert bundles == [[old["id"], new["id"]]]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (None, "2026-01-02", [0]),
        ("2026-01-02", None, [1, 2]),
        ("2026-01-02", "2026-01-03", [1]),
        ("2026-01-03T08:00:00Z", "2026-01-03T08:00:00Z", [1]),
        ("2026-01-06", None, []),
    ],
)
def test_a_period_finds_what_lies_in_it_by_time(
    world, found, mine, start, end, expected
) -> None:
    ids = measured_on(world, world.an_order(), 1, 3, 5)

    assert found(mine, period(start, end)) == [[ids[one]] for one in expected]


def test_a_period_finds_what_reaches_into_it(world, found, mine) -> None:
    (long,) = world.submitted(
        world.observation(
            world.an_order(),
            effectiveDateTime=None,
            effectivePeriod={"start": day(1), "end": day(5)},
        )
    )

    assert found(mine, period(day(3), day(4))) == [[long["id"]]]


def test_answers_and_media_are_found_by_when_they_were_made(world, found, mine) -> None:
    asked, order = world.a_questionnaire()
    (media,) = world.submitted(world.media(order, createdDateTime=day(2)))
    (answers,) = world.submitted(world.response(asked, order, authored=day(3)))

    assert found(mine, period(**YEAR)) == [[media["id"]], [answers["id"], asked]]


def test_an_episode_of_care_an_order_and_a_tag_narrow_it(world, found, mine) -> None:
    tag = {"system": TAGS, "code": "xa"}
    (other,) = world.submitted(world.observation(world.an_order()))
    world.episode = world.an_episode(world.patient, meta={"tag": [tag]})
    orders = [world.an_order(), world.an_order()]
    ids = [world.submitted(world.observation(one))[0]["id"] for one in orders]
    year = period(**YEAR)

    in_episode = found(
        reference("episodeOfCare", f"EpisodeOfCare/{world.episode}"), year
    )
    by_order = found(mine, year, reference("based-on", f"ServiceRequest/{orders[1]}"))
    by_tag = found(mine, year, {"name": "_tag", "valueCoding": tag})

    assert in_episode == by_tag == [[one] for one in sorted(ids)]
    assert by_order == [[ids[1]]]
    assert [other["id"]] in found(mine, year)


def test_a_device_narrows_it_to_what_was_measured_by_it(world, found, mine) -> None:
    device = world.put("Device")["id"]
    order = world.an_order()
    (by_it,) = world.submitted(
        world.observation(order, device={"reference": f"Device/{device}"})
    )
    world.submitted(world.observation(order))

    assert found(mine, period(**YEAR), reference("device", f"Device/{device}")) == [
        [by_it["id"]]
    ]


def test_absolute_references_are_understood(world, found) -> None:
    (ids,) = measured_on(world, world.an_order(), 3)
    absolute = f"{world.base('patient')}/Patient/{world.patient}"

    assert found(reference("patient", absolute), period(**YEAR)) == [[ids]]


def test_nothing_found_is_an_empty_collection(world, search, mine) -> None:
    answer = search(mine, period(**YEAR))

    assert answer.json == {"resourceType": "Bundle", "type": "collection"}


def test_answers_that_are_not_finished_are_not_found(world, found, mine) -> None:
    asked, order = world.a_questionnaire()
    world.put(
        "QuestionnaireResponse",
        **{
            key: one
            for key, one in world.response(asked, order, status="in-progress").items()
            if key != "resourceType"
        },
    )

    assert found(mine, period(**YEAR)) == []


def test_a_measurement_that_is_used_again_is_found_with_its_provenance(
    world, found, mine
) -> None:
    allowed = {
        "url": f"{EHEALTH}reuseCriteria",
        "extension": [{"url": "allowed", "valueBoolean": True}],
    }
    order = world.an_order(extension=[allowed])
    (first,) = world.submitted(world.observation(order))
    target = "urn:uuid:1d7f7c5e-3a04-4a59-8b0e-7d7f6f6d3c11"
    stored, said = world.submitted(
        {**world.observation(order), "fullUrl": target},
        world.reuse(target, f"Observation/{first['id']}"),
    )

    bundles = sorted(found(mine, period(**YEAR)), key=len)
    assert bundles == [[first["id"]], [stored["id"], said["id"]]]


def test_a_recorded_search_is_answered_in_the_recorded_shape(world, search) -> None:
    if not RECORDED.exists():
        return
    lines = RECORDED.read_text(encoding="utf-8").splitlines()
    (exchange,) = [
        one
        for one in map(json.loads, lines)
        if one["name"] == "POST_search-measurements"
    ]
    told = exchange["response_body"]
    asked, order = world.a_questionnaire()
    world.submitted(
        world.observation(world.an_order()),
        world.media(order),
        world.response(asked, order),
    )

    answer = search(
        reference("patient", f"Patient/{world.patient}"),
        reference("episodeOfCare", f"EpisodeOfCare/{world.episode}"),
        period(start="2024-10-21T00:00:00+00:00"),
    )

    def frame(bundle):
        return [
            (
                sorted(outer),
                outer["fullUrl"].partition(":")[0],
                outer["resource"]["type"],
                [
                    (sorted(inner), inner["resource"]["resourceType"])
                    for inner in outer["resource"]["entry"]
                ],
            )
            for outer in bundle["entry"]
        ]

    assert frame(answer.json) == frame(told)
    (bundle,) = answer.resources
    for entry in bundle["entry"]:
        kind, identity = entry["fullUrl"].split("/")[-2:]
        assert (kind, identity) == (
            entry["resource"]["resourceType"],
            entry["resource"]["id"],
        )
