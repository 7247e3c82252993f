"""The order in which events get their positions."""

from hypothesis import given
from hypothesis import strategies as st

from fyr.core.events.sequencer import in_order


def test_versions_rise_where_numbers_were_handed_out_in_blocks() -> None:
    rows = [
        (1, "Patient", "1", 2),
        (2, "Patient", "2", 1),
        (101, "Patient", "1", 1),
        (102, None, None, None),
    ]

    assert in_order(rows) == [101, 2, 1, 102]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1000),
            st.sampled_from(["Patient", "Task"]),
            st.sampled_from(["1", "2"]),
            st.integers(1, 9),
        ),
        unique_by=(lambda row: row[0], lambda row: row[1:]),
    )
)
def test_any_order_of_numbers_gives_each_event_one_place(
    rows: list[tuple[int, str, str, int]],
) -> None:
    sequence = in_order(sorted(rows))

    by_number = {row[0]: row for row in rows}
    assert sorted(sequence) == sorted(by_number)
    for subject in {row[1:3] for row in rows}:
        own = [by_number[n][3] for n in sequence if by_number[n][1:3] == subject]
        assert own == sorted(own)


@given(st.lists(st.sampled_from("ab"), max_size=9))
def test_numbers_that_follow_the_commits_stay_as_they_are(subjects: list[str]) -> None:
    rows = [(n, "Patient", who, n) for n, who in enumerate(subjects, start=1)]

    assert in_order(rows) == [row[0] for row in rows]
