"""What every state machine is held against: a class of tests that its author inherits.

    from fyr.core.testing import MachineContract


    class TestLoans(MachineContract):
        machine = LOANS

        def example(self, state):
            return {"resourceType": "Basic", ...}

The table alone is walked, through the whole server: guards and effects are left out, as
they have tests of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fyr.core.context import Principal
from fyr.core.hooks.markers import hookimpl
from fyr.core.hooks.plugin import Plugin
from fyr.core.testing.principals import PATIENT, PRACTITIONER, SYSTEM_USER
from fyr.core.workflow.histories import states_kept
from fyr.core.workflow.machine import ANYBODY, Machine

if TYPE_CHECKING:
    from fyr.core.model.resource import Resource
    from fyr.core.testing.client import Client

#: A principal of each type of user.
USERS = {
    "PATIENT": PATIENT,
    "PRACTITIONER": PRACTITIONER,
    "SSL": Principal("SSL", "test-logistics"),
    "SYSTEM": SYSTEM_USER,
}


def may(machine: Machine, start: str | None, end: str | None, user: str) -> bool:
    """Tell whether a table lets a user of a type make a step, whatever guards say."""
    rows = [one for one in machine.steps if (one.start, one.end) == (start, end)]
    if any(user in one.by for one in rows):
        return True
    if start is None:
        return user == "SYSTEM"
    if end is None:
        return all(one.end is not None for one in machine.steps)
    return start == end and not rows


class MachineContract:
    """Tests that hold for any machine; inherit, name yours, and give examples."""

    machine: ClassVar[Machine]

    def example(self, state: str) -> Resource:
        """Give a resource in a state, right but for what guards ask.

        Override it where a type needs more than a state.
        """
        resource = {"resourceType": self.machine.resource_type}
        self.machine.set_state(resource, state)
        return resource

    @pytest.mark.parametrize("user", sorted(ANYBODY))
    def test_every_pair_of_states_goes_as_the_table_says(
        self, user: str, tmp_path: Path
    ) -> None:
        """Creates, updates and deletes, by each type of user."""
        machine, wrong = self.machine, []
        with _serving(machine, tmp_path) as client:
            for start in (None, *machine.states):
                for end in (*machine.states, None):
                    if start is None and end is None:
                        continue
                    done = self._step(client, start, end, user)
                    if done is not may(machine, start, end, user):
                        wrong.append((start, end, done))

        assert wrong == []

    def test_random_walks_stay_in_the_table(self, tmp_path: Path) -> None:
        """Whoever does what in whatever order: the state is where allowed steps lead."""
        states = st.sampled_from(self.machine.states)
        steps = st.lists(
            st.tuples(st.sampled_from(sorted(ANYBODY)), states), max_size=12
        )
        with _serving(self.machine, tmp_path) as client:

            @settings(max_examples=50, deadline=None)
            @given(begin=states, steps=steps)
            def walk(begin: str, steps: list[tuple[str, str]]) -> None:
                self._walk(client, begin, steps)

            walk()

    def _walk(self, client: Client, begin: str, steps: list[tuple[str, str]]) -> None:
        """Have a system bring a resource, and users try steps."""
        machine = self.machine
        created = client.create(self.example(begin))
        assert created.status == 201, created.body
        identity, visited = created.json["id"], [begin]
        for user, end in steps:
            answer = _as(client, user).update({**self.example(end), "id": identity})
            allowed = may(machine, visited[-1], end, user)
            assert answer.status == (200 if allowed else 422), answer.body
            if allowed and end != visited[-1]:
                visited.append(end)
        resource = client.get(f"{machine.resource_type}/{identity}").json

        assert machine.state_of(resource) == visited[-1]
        if machine.history is not None and machine.history.status:
            assert states_kept(resource, machine.history) == visited

    def _step(
        self, client: Client, start: str | None, end: str | None, user: str
    ) -> bool:
        """Have a user try a step, and tell whether it was made."""
        own = _as(client, user)
        if start is None:
            answer = own.create(self.example(end or ""))
            assert answer.status in (201, 422), answer.body
            return answer.status == 201
        stored = client.create(self.example(start))
        assert stored.status == 201, stored.body
        path = f"{self.machine.resource_type}/{stored.json['id']}"
        if end is None:
            answer = own.delete(path)
        else:
            answer = own.put(path, {**self.example(end), "id": stored.json["id"]})
        assert answer.status in (200, 204, 422), answer.body
        kept = client.get(path)
        if answer.status == 422:
            assert kept.json == stored.json
        return answer.status != 422


def bare(machine: Machine) -> Machine:
    """Give the table of a machine alone, without guards, effects and error codes."""
    steps = tuple(replace(one, when=(), then=(), refused=None) for one in machine.steps)
    return replace(machine, steps=steps, when=(), then=(), refused=None)


@contextmanager
def _serving(machine: Machine, folder: Path) -> Iterator[Client]:
    """Serve the table alone, in open mode, where whoever is not named is a system."""
    from fyr.core.testing.applications import application, client_of, settings_with
    from fyr.core.testing.clock import FakeClock

    class OneMachine(Plugin):
        @hookimpl
        def register_machines(self) -> Iterator[Machine]:
            yield bare(machine)

    made = settings_with({"plugins": {"enabled": []}}, folder)
    with application(made, FakeClock(), {"one-machine": OneMachine}) as built:
        yield client_of(built)


def _as(client: Client, user: str) -> Client:
    return client.acting_as(USERS[user])
