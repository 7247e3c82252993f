"""Random walks: whatever is tried, a definition is where its table led it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from fyr.plugins.clinical.plans import versions

from .conftest import definition
from .test_lives import STATES, STEPS

KINDS = st.sampled_from(["ActivityDefinition", "Questionnaire"])
NUMBERS = st.lists(st.integers(0, 99), min_size=1, max_size=4).map(tuple)


@settings(max_examples=30, deadline=None)
@given(KINDS, st.lists(st.sampled_from(STATES), max_size=8))
def test_a_walk_ends_where_the_table_leads(guarded, kind, tried) -> None:
    stored = guarded.made(definition(kind))
    state, versions_made = "draft", 1

    for end in tried:
        answer = guarded.update({**stored, "status": end})
        if (state, end) in STEPS:
            assert answer.status == 200
            stored, state = answer.json, end
            versions_made += 1
        else:
            assert answer.status == 422

    found = guarded.at(kind).get(f"{kind}/{stored['id']}").json
    assert (found["status"], found["meta"]["versionId"]) == (state, str(versions_made))
    assert ("approvalDate" in found) == ("active" in tried_until_retired(tried))


def tried_until_retired(tried):
    """Tell what was tried while it was not retired yet."""
    return tried[: tried.index("retired")] if "retired" in tried else tried


@given(NUMBERS, st.lists(NUMBERS, max_size=5))
def test_the_next_version_comes_after_all_there_are(version, others) -> None:
    everything = [version, *others]

    major = versions.parts(versions.major(version, others))
    minor = versions.parts(versions.minor(version, others))

    assert all(major > one for one in everything)
    assert all(minor > one for one in everything if one[0] == version[0])
    assert minor[0] == version[0]
