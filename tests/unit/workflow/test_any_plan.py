"""Whatever is planned and missed, what happens is what the table lets happen, in order.

What no steps lead to is not planned in the first place.
"""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.clock import START, FakeClock
from fyr.core.testing.machines import may
from fyr.core.testing.principals import PRACTITIONER
from fyr.core.workflow.histories import states_kept

from .conftest import plugin_of
from .plans import PLANS, plan, planned_status

#: Minutes from now, each once, with the state that comes then.
PLANNED = st.dictionaries(
    st.integers(1, 60), st.sampled_from(PLANS.states), min_size=1, max_size=8
)
#: Minutes after which a worker comes.
VISITS = st.lists(st.integers(1, 40), max_size=4)


def led_to(start: str) -> set[str | None]:
    """Tell the states that one or more steps lead to."""
    found: set[str | None] = set()
    ends = {start}
    while ends:
        ends = {one.end for one in PLANS.steps if one.start in ends} - found
        found |= ends
    return found


def test_what_was_planned_happens_however_often_workers_come(tmp_path) -> None:
    clock = FakeClock()
    options = settings_with({"plugins": {"enabled": []}}, tmp_path)
    with application(options, clock, {"plans": plugin_of(PLANS)}) as app:
        nurse = client_of(app).acting_as(PRACTITIONER)

        @settings(max_examples=60, deadline=None)
        @given(changes=PLANNED, visits=VISITS)
        def happens(changes: dict[int, str], visits: list[int]) -> None:
            clock.now = START
            before = len(app.timers.given_up(1000))
            entries = [
                planned_status(state, f"2026-01-08T08:{minute:02}:00Z")
                if minute < 60
                else planned_status(state, "2026-01-08T09:00:00Z")
                for minute, state in changes.items()
            ]
            answer = nurse.create(plan(extension=entries))
            states = ["draft", *(state for _, state in sorted(changes.items()))]
            if any(end not in led_to(start) for start, end in pairwise(states)):
                assert answer.status == 422
                return
            identity = answer.json["id"]
            for minutes in (*visits, 60):
                clock.advance(minutes=minutes)
                app.worker().drain()
            stored = nurse.get(f"CarePlan/{identity}").json

            visited, refused = ["draft"], 0
            for _, state in sorted(changes.items()):
                if not may(PLANS, visited[-1], state, "SYSTEM"):
                    refused += 1
                elif state != visited[-1]:
                    visited.append(state)
            assert stored["status"] == visited[-1]
            assert states_kept(stored, PLANS.history) == visited
            assert len(app.timers.given_up(1000)) - before == refused
            assert stored["meta"]["versionId"] == str(1 + len(changes))
            assert app.timers.counts()["workflow-schedule"].pending == 0

        happens()
