"""Measurements that are used again: whether the order allows it, of what quality and age."""

import pytest

from .criteria import TARGET, criteria


@pytest.mark.parametrize("allowed", [False, None])
def test_an_order_that_does_not_allow_it_is_not_met_by_an_old_measurement(
    world, reusing, problems, make, allowed
) -> None:
    none = [] if allowed is None else [criteria(make, allowed=allowed)]
    again, said = reusing(order=world.an_order(extension=none))

    assert problems(again, said) == [
        (
            f"The resource {TARGET} may not be reused.",
            "Bundle.entry[1].resource.target[0]",
        )
    ]


@pytest.mark.parametrize(
    ("part", "kind", "system"),
    [
        ("situationQuality", "SQ", "situation-quality"),
        ("usageQuality", "UQ", "usage-quality"),
    ],
)
def test_a_quality_that_is_asked_for_and_missing_is_refused(
    reusing, problems, part, kind, system
) -> None:
    again, said = reusing(criteria_of={part: "normal"})

    assert [text for text, _ in problems(again, said)] == [
        "Reuse needs the quality normal, which the resource does not have."
    ]


@pytest.mark.parametrize(
    ("part", "kind", "system", "given", "passes"),
    [
        ("situationQuality", "SQ", "situation-quality", "normal", True),
        ("situationQuality", "SQ", "situation-quality", "sitting", True),
        ("situationQuality", "SQ", "situation-quality", "unknown", False),
        ("usageQuality", "UQ", "usage-quality", "entered-manually", True),
        ("usageQuality", "UQ", "usage-quality", "TBD", False),
        (
            "deviceMeasuringQuality",
            "DMQ",
            "device-measuring-quality",
            "high-precision-normal",
            True,
        ),
        ("deviceMeasuringQuality", "DMQ", "device-measuring-quality", "unknown", False),
    ],
)
def test_a_quality_is_the_one_asked_for_or_below_it(
    world, reusing, make, part, kind, system, given, passes
) -> None:
    quality = make.quality(kind, system, given)
    again, said = reusing(criteria_of={part: "normal"}, target={"extension": [quality]})

    answer = world.submit(again, said)

    assert answer.status == (200 if passes else 422)
    if not passes:
        assert answer.issues == [
            f"Reuse is not possible: the quality normal does not include {given}."
        ]


def test_a_device_of_unknown_quality_does_not_do_where_a_quality_is_asked_for(
    reusing, problems
) -> None:
    again, said = reusing(criteria_of={"deviceMeasuringQuality": "normal"})

    assert [text for text, _ in problems(again, said)] == [
        "Reuse is not possible: the quality normal does not include unknown."
    ]


@pytest.mark.parametrize(
    ("value", "unit", "passes"),
    [
        (29, "min", False),
        (31, "min", True),
        (1799, "s", False),
        (0.4, "h", False),
        (1, "d", True),
        (1, "wk", True),
        (1, "mo", True),
        (1, "a", True),
    ],
)
def test_a_measurement_is_used_again_until_it_is_too_old(
    world, reusing, value, unit, passes
) -> None:
    again, said = reusing(criteria_of={"value": value, "unit": unit})

    answer = world.submit(again, said)

    assert answer.status == (200 if passes else 422)
    if not passes:
        assert answer.issues == ["The measurement is too old to be reused."]


def test_an_unknown_unit_of_time_is_refused(reusing, problems) -> None:
    again, said = reusing(criteria_of={"unit": "fortnight"})

    assert [text for text, _ in problems(again, said)] == [
        "A duration has a UCUM unit of s, min, h, d, wk, mo and a, not fortnight."
    ]
