"""Whose a test's request is."""

from dataclasses import replace
from weakref import WeakKeyDictionary

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.context import Principal, RequestContext
from fyr.core.declarations.services import Service
from fyr.core.errors import Unauthenticated
from fyr.core.hooks.pipeline import Hooks
from fyr.core.hooks.plugin import PluginSettings
from fyr.core.testing import PATIENT, PRACTITIONER, SYSTEM_USER, FakeClock
from fyr.core.testing.principals import TestPrincipals, authorization

words = st.frozensets(st.text(max_size=8), max_size=3)


def authenticated(header: str | None) -> Principal | None:
    hooks = Hooks({"test-principals": TestPrincipals(PluginSettings())})
    service = Service("fhir", "fhir", "All", types={})
    context = RequestContext(service, "read", authorization=header)
    return hooks.authenticate(context=context)


@pytest.mark.parametrize("principal", [PATIENT, PRACTITIONER, SYSTEM_USER])
def test_a_ready_principal_is_taken_for_itself(principal) -> None:
    assert authenticated(authorization(principal)) == principal


principals = st.builds(
    Principal,
    st.text(),
    st.text(),
    words,
    st.just({"a": "b"}),
    words,
    name=st.text(),
    tags=words,
    team_on_episode=st.sampled_from([None, True, False]),
)


@given(principals)
def test_any_principal_survives_the_way_through_the_header(principal) -> None:
    assert authenticated(authorization(principal)) == principal


def test_a_header_is_plain_ascii() -> None:
    assert authorization(Principal("SYSTEM", "Åse")).isascii()


@pytest.mark.parametrize("header", [None, "", "Bearer abc"])
def test_another_header_is_for_somebody_else(header) -> None:
    assert authenticated(header) is None


@pytest.mark.parametrize(
    "header", ["FyrTest x", "FyrTest ", "FyrTest e30=", "FyrTest W10="]
)
def test_a_broken_header_is_refused(header) -> None:
    with pytest.raises(Unauthenticated):
        authenticated(header)


def test_what_is_known_of_a_principal_can_be_kept_by_it() -> None:
    known = WeakKeyDictionary({PRACTITIONER: "works here"})
    changed = replace(PRACTITIONER, context={})

    assert known[replace(PRACTITIONER)] == "works here"
    assert changed not in known


def test_the_clock_stands_still_until_it_is_told_to_go() -> None:
    clock = FakeClock()
    first, second = clock(), clock()
    later = clock.advance(hours=1)

    assert first == second
    assert (later - first).total_seconds() == 3600
    assert clock() == later
