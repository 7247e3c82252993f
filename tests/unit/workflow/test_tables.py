"""Tables walked by every user, as those of any area are."""

from dataclasses import replace

import pytest

from fyr.core import Step
from fyr.core.testing import MachineContract
from fyr.core.testing.machines import may

from .conftest import LOANS, loan
from .plans import EPISODES, PLANS, plan


class TestLoans(MachineContract):
    machine = LOANS

    def example(self, state):
        return loan(state)


class TestPlans(MachineContract):
    machine = PLANS

    def example(self, state):
        return plan(state)


class TestEpisodes(MachineContract):
    machine = EPISODES

    def example(self, state):
        patient = {"reference": "Patient/1"}
        return {"resourceType": "EpisodeOfCare", "status": state, "patient": patient}


def test_the_walk_finds_a_server_that_does_not_do_as_the_table_says(
    tmp_path, monkeypatch
) -> None:
    """The contract looks at the table that was given, the server at another one."""
    more = replace(LOANS, steps=(*LOANS.steps, Step("wanted", "returned")))
    monkeypatch.setattr("fyr.core.testing.machines.bare", lambda machine: more)

    with pytest.raises(AssertionError, match="wanted"):
        TestLoans().test_every_pair_of_states_goes_as_the_table_says("SSL", tmp_path)


@pytest.mark.parametrize(
    ("start", "end", "user", "allowed"),
    [
        (None, "wanted", "PATIENT", True),
        (None, "lent", "PATIENT", False),
        (None, "lent", "SYSTEM", True),
        ("wanted", "lent", "PATIENT", False),
        ("wanted", "wanted", "PATIENT", True),
        ("returned", "returned", "PATIENT", False),
        ("wanted", None, "PRACTITIONER", False),
        ("dropped", None, "PRACTITIONER", True),
    ],
)
def test_what_a_table_allows_is_told(start, end, user, allowed) -> None:
    assert may(LOANS, start, end, user) is allowed
