"""``$search-measurements-bundle-limit``: the next ones, and the last ones."""

import pytest

from .periods import EHEALTH, day, measured_on, reference


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
