"""``$search-measurements`` and ``$search-measurements-bundle-limit``."""

import json
from pathlib import Path

import pytest

RECORDED = Path(__file__).parents[4] / "shared/data/ig-exchanges.jsonl"
EHEALTH = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-"
TAGS = "http://ehealth.sundhed.dk/cs/ehealth-system"
YEAR = {"start": "2026-01-01", "end": "2026-12-31"}


@pytest.fixture
def store(store_url):
    """On each of the databases in turn."""
    return store_url


def reference(name, to):
    return {"name": name, "valueReference": {"reference": to}}


def period(start=None, end=None):
    value = {key: one for key, one in (("start", start), ("end", end)) if one}
    return {"name": "period", "valuePeriod": value}


@pytest.fixture
def search(world):
    def called(*parameters, limited=False, by=None):
        name = "$search-measurements" + ("-bundle-limit" if limited else "")
        body = {"resourceType": "Parameters"}
        if parameters:
            body["parameter"] = list(parameters)
        return (by or world.measurement).post(name, body)

    return called


@pytest.fixture
def found(world, search):
    """Search, and tell the ids of each bundle."""

    def told(*parameters, limited=False):
        answer = search(*parameters, limited=limited)
        assert answer.status == 200, answer.body
        assert answer.json["type"] == "collection"
        return [
            [one["resource"]["id"] for one in bundle["entry"]]
            for bundle in answer.resources
        ]

    return told


@pytest.fixture
def mine(world):
    return reference("patient", f"Patient/{world.patient}")


def day(number, hour=8):
    return f"2026-01-{number:02d}T{hour:02d}:00:00Z"


def measured_on(world, order, *days):
    """Submit an observation on each of some days; tell their ids."""
    return [
        world.submitted(world.observation(order, effectiveDateTime=day(one)))[0]["id"]
        for one in days
    ]


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


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (["patient"], ["Say in which period the measurements lie."]),
        (
            ["period"],
            [
                "Say whose measurements are wanted: give a patient or an episode of care."
            ],
        ),
        ([], 2),
    ],
)
def test_what_is_missing_is_told(world, search, mine, parameters, expected) -> None:
    known = {"patient": mine, "period": period(**YEAR)}

    answer = search(*(known[one] for one in parameters))

    assert answer.status == 400
    if isinstance(expected, int):
        assert len(answer.issues) == expected
    else:
        assert answer.issues == expected


@pytest.mark.parametrize(
    ("name", "to", "expected"),
    [
        (
            "patient",
            "Group/1",
            "A reference to Patient is wanted here, and this is one to Group.",
        ),
        (
            "episodeOfCare",
            "CarePlan/1",
            "A reference to EpisodeOfCare is wanted here, and this is one to CarePlan.",
        ),
        (
            "device",
            "Patient/1",
            "The reference does not lead to a device that can be searched by.",
        ),
        (
            "based-on",
            "CarePlan/1",
            "Measurements cannot be searched as based on CarePlan/1.",
        ),
    ],
)
def test_a_reference_to_another_type_is_refused(
    world, search, mine, name, to, expected
) -> None:
    others = [mine] if name != "patient" else []

    answer = search(*others, period(**YEAR), reference(name, to))

    assert answer.status == 400
    assert expected in answer.issues


@pytest.mark.parametrize(
    ("name", "to"),
    [
        ("patient", "Patient/nowhere"),
        ("episodeOfCare", "EpisodeOfCare/nowhere"),
        ("device", "Device/nowhere"),
        ("based-on", "ServiceRequest/nowhere"),
    ],
)
def test_a_reference_to_what_is_not_there_is_refused(
    world, search, refused, mine, name, to
) -> None:
    others = [mine] if name != "patient" else []

    answer = search(*others, period(**YEAR), reference(name, to))

    assert refused(answer) == [
        (
            f"The search refers to {to}, which is not there.",
            f"Parameters.parameter.where(name = '{name}')",
        )
    ]


def count(number):
    return {"name": "count", "valueInteger": number}


def at(name, value):
    return {"name": name, "valueDateTime": value}


def test_a_start_finds_the_next_ones_the_first_first(world, found, mine) -> None:
    ids = measured_on(world, world.an_order(), 5, 1, 4, 2, 3)

    assert found(mine, count(2), at("start", day(2)), limited=True) == [
        [ids[4]],
        [ids[2]],
    ]


def test_an_end_finds_the_last_ones_the_last_first(world, found, mine) -> None:
    ids = measured_on(world, world.an_order(), 5, 1, 4, 2, 3)

    assert found(mine, count(2), at("end", day(4)), limited=True) == [
        [ids[4]],
        [ids[3]],
    ]


def test_all_kinds_of_measurements_are_in_one_order(world, found, mine) -> None:
    asked, order = world.a_questionnaire()

    def effective(**value):
        return [{"url": f"{EHEALTH}effectivePeriod", "valuePeriod": value}]

    def answers(**more):
        return world.submitted(world.response(asked, order, **more))[0]["id"]

    # Of the answers some were written long after the time that they are about.
    third = answers(authored=day(9), extension=effective(start=day(3), end=day(6)))
    fifth = answers(authored=day(9), extension=effective(end=day(5)))
    first = answers(authored=day(1))
    (second,) = world.submitted(world.media(order, createdDateTime=day(2)))
    (fourth,) = measured_on(world, world.an_order(), 4)
    ids = [first, second["id"], third, fourth, fifth]

    ascending = found(mine, count(9), at("start", "2025"), limited=True)
    descending = found(mine, count(9), at("end", "2027"), limited=True)

    assert [one[0] for one in ascending] == ids
    # By its end the third comes last.
    assert [one[0] for one in descending] == [third, fifth, fourth, second["id"], first]


def test_pages_by_start_give_everything_once(world, found, mine) -> None:
    ids = measured_on(world, world.an_order(), *range(1, 8))
    times = dict(zip(ids, range(1, 8), strict=True))
    seen, start = [], "2025"

    while page := found(mine, count(3), at("start", start), limited=True):
        seen += [one for (one,) in page]
        start = day(times[seen[-1]])

    assert seen == ids


def test_a_submission_counts_once_however_much_is_in_it(world, found, mine) -> None:
    order = world.an_order()
    many = [world.observation(order, effectiveDateTime=day(n)) for n in (1, 2, 3)]
    together = [one["id"] for one in world.submitted(*many)]
    (alone,) = measured_on(world, order, 4)

    assert found(mine, count(2), at("start", "2025"), limited=True) == [
        together,
        [alone],
    ]


def test_orders_alone_are_enough_to_ask_for_the_last_ones(world, found) -> None:
    order = world.an_order()
    (ids,) = measured_on(world, order, 3)

    assert found(
        reference("based-on", f"ServiceRequest/{order}"),
        count(1),
        at("end", "2027"),
        limited=True,
    ) == [[ids]]


@pytest.mark.parametrize("number", [1, 100])
def test_so_many_may_be_asked_for(search, mine, number) -> None:
    answer = search(mine, count(number), at("end", day(1)), limited=True)

    assert answer.status == 200


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["start"], "Say how many measurements are wanted: a count of 1 or more."),
        ([0, "start"], "Say how many measurements are wanted: a count of 1 or more."),
        ([-3, "start"], "Say how many measurements are wanted: a count of 1 or more."),
        ([101, "start"], "At most 100 measurements are given at once."),
        ([1], "Say where to begin: give a start or an end."),
        ([1, "start", "end"], "Give a start or an end, not both."),
    ],
)
def test_a_limited_search_that_makes_no_sense_is_refused(
    search, mine, given, expected
) -> None:
    made = [count(one) if isinstance(one, int) else at(one, day(1)) for one in given]

    answer = search(mine, *made, limited=True)

    assert answer.status == 400
    assert answer.issues == [expected]


def test_a_limited_search_for_nobody_is_refused(search) -> None:
    answer = search(count(1), at("start", day(1)), limited=True)

    assert answer.issues == [
        "Say which measurements are wanted: give a patient, an episode of care or a"
        " ServiceRequest."
    ]


def shape(value):
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    return (
        [shape(one) for one in value]
        if isinstance(value, list)
        else type(value).__name__
    )


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
