"""Whatever is sent is told of, and nothing breaks."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from fyr.core.model import json
from fyr.core.model.resource import FhirDecimal
from fyr.core.model.validation import problems

from .words import PATIENT

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.just(FhirDecimal("1e3")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "resourceType id extension url _url valueCode div _given given"
                " reference coding contained x".split()
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


def places(value, path=()):
    """Give the place of everything inside of a value."""
    yield path
    items = value.items() if isinstance(value, dict) else ()
    for key, item in enumerate(value) if isinstance(value, list) else items:
        yield from places(item, (*path, key))


PLACES = [place for place in places(PATIENT) if place]


@given(st.sampled_from(PLACES), ANYTHING)
def test_whatever_stands_anywhere_is_only_told_of(place, value):
    resource = copy.deepcopy(PATIENT)
    holder = resource
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value

    for issue in problems(resource):
        assert issue.expression
        assert issue.severity == "error"


@given(ANYTHING)
def test_whatever_comes_as_a_resource_is_only_told_of(value):
    assert isinstance(problems(value), list)


def test_reading_and_checking_leave_the_resource_alone():
    before = json.dump(PATIENT)

    problems(PATIENT)

    assert json.dump(PATIENT) == before
