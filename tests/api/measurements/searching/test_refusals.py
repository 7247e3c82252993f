"""Searches for measurements that are refused."""

import pytest

from .periods import YEAR, period, reference


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
