"""Small groups are not told, and cannot be reckoned from those that are."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from fyr.search.reporting.asking.plan import PATIENTS, Group
from fyr.search.reporting.asking.suppression import patients, told

LEAST = 5


def group(*key: str, patients: int) -> Group:
    return Group(key, {PATIENTS: patients})


GROUPS = st.dictionaries(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from("12")),
    st.integers(0, 12),
).map(lambda found: [group(*key, patients=n) for key, n in found.items()])


def keys(groups: list[Group]) -> set[tuple[object, ...]]:
    return {one.key for one in groups}


def test_a_group_of_few_patients_is_not_told() -> None:
    assert told([group(patients=4)], LEAST) == []
    assert keys(told([group(patients=5)], LEAST)) == {()}


def test_a_group_that_could_be_had_by_subtraction_has_company() -> None:
    """a, b and c are known together; so b is not told either, the smallest of the rest."""
    groups = [group("a", patients=2), group("b", patients=6), group("c", patients=9)]

    assert keys(told(groups, LEAST)) == {("c",)}


def test_what_is_hidden_along_one_key_is_hidden_well_along_the_others() -> None:
    groups = [group(a, b, patients=9) for a in "ab" for b in "xy"]
    groups[0] = group("a", "x", patients=1)

    # Any two of a row or a column would tell the first.
    assert told(groups, LEAST) == []


@given(groups=GROUPS)
def test_no_small_group_is_told(groups: list[Group]) -> None:
    assert all(patients(one) >= LEAST for one in told(groups, LEAST))


def lines_of(groups: list[Group]) -> list[list[Group]]:
    lines = defaultdict(list)
    for one in groups:
        for at in range(3):
            lines[at, one.key[:at] + one.key[at + 1 :]].append(one)
    return list(lines.values())


@given(groups=GROUPS)
def test_what_is_missing_in_a_row_is_enough_or_the_row_is_not_told(
    groups: list[Group],
) -> None:
    shown = keys(told(groups, LEAST))
    for line in lines_of(groups):
        hidden = [one for one in line if one.key not in shown]
        if hidden and len(hidden) < len(line):
            assert max(map(patients, hidden)) >= LEAST


@given(groups=GROUPS)
def test_no_small_group_is_had_by_subtracting_however_often(
    groups: list[Group],
) -> None:
    known = keys(told(groups, LEAST))
    before = -1
    while before != len(known):
        before = len(known)
        for line in lines_of(groups):
            missing = keys(line) - known
            if len(missing) == 1 and sum(map(patients, line)) >= LEAST:
                known |= missing

    # Where all is hidden a sum may still be that of one group alone.
    if told(groups, LEAST):
        assert all(patients(one) >= LEAST for one in groups if one.key in known)


@given(groups=GROUPS)
def test_nothing_is_hidden_where_every_group_is_large(groups: list[Group]) -> None:
    large = [group(*one.key, patients=patients(one) + LEAST) for one in groups]

    assert told(large, LEAST) == large
