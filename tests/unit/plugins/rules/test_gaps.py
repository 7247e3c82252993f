"""Gaps between alarm ranges that are only in how they are written."""

import pytest

from fyr.plugins.rules.gaps import gaps

from .conftest import activity, alarm


def told(*ranges):
    return [one.diagnostics for one in gaps(activity(*ranges))]


def test_a_step_of_the_last_digit_between_two_ranges_is_warned_of() -> None:
    (one,) = gaps(activity(alarm("GAL", 251, 300), alarm("RAL", high=250)))

    assert (one.severity, one.expression) == ("warning", ("ServiceRequest.extension",))
    assert one.diagnostics == (
        "a value between 250 and 251 lies in no alarm range, and is green:"
        " RAL ..250 ends before GAL 251..300 begins"
    )


@pytest.mark.parametrize(
    "ranges",
    [
        [],
        [alarm("RAL", high=250)],
        # one begins where the other ends, or before that
        [alarm("RAL", high=250), alarm("GAL", 250, 300)],
        [alarm("RAL", high=250), alarm("GAL", 240, 300), alarm("RAL", 300)],
        # another range lies over it
        [alarm("GAL", high=300), alarm("RAL", 100, 250), alarm("RAL", 301.5)],
        # what is between is normal
        [alarm("RAL", high=88), alarm("GAL", 95)],
        # they are for other values
        [alarm("RAL", high=250, code="A"), alarm("GAL", 251, code="B")],
        [alarm("RAL", high=250, unit="g"), alarm("GAL", 251, unit="kg")],
        [alarm("RAL", high=250), alarm("RELGAL", 251)],
        [alarm("NORMAL", high=250), alarm("GAL", 251)],
        # nonsense
        [alarm("RAL"), alarm("GAL", "251"), alarm("GAL", high=True)],
    ],
)
def test_ranges_that_leave_no_gap_or_one_that_is_meant_are_not_warned_of(
    ranges,
) -> None:
    assert told(*ranges) == []


def test_of_many_ranges_each_step_is_told_once() -> None:
    written = [alarm("GAL", 10 * n, 10 * n + 9) for n in range(500)]

    assert len(told(*written)) == 199
