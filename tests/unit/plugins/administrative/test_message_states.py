"""The table of messages, walked through the whole server, and who steers what is sent."""

from datetime import UTC, datetime

import pytest

from fyr.core.telling.communication_requests import _is_in_force
from fyr.core.testing import MachineContract
from fyr.plugins.administrative.messages.states import MESSAGE
from fyr.plugins.administrative.messages.terms import PROFILE


class TestMessages(MachineContract):
    machine = MESSAGE

    def example(self, state):
        return {
            "resourceType": "Communication",
            "meta": {"profile": [PROFILE]},
            "status": state,
        }


@pytest.mark.parametrize(
    ("period", "in_force"),
    [
        ({}, True),
        ({"start": "2026"}, True),
        ({"start": "2026-03"}, False),
        ({"start": "2026-02-01"}, True),
        ({"end": "2026-02"}, True),
        ({"end": "2026-01-31"}, False),
        ({"end": "2025"}, False),
        ({"start": "2026-02-01T12:00:00+01:00", "end": "2026-02-01T13:00:00Z"}, True),
        ({"start": "2026-02-01T12:00:01Z"}, False),
        ({"end": "2026-02-01T12:59:59+01:00"}, False),
    ],
)
def test_a_period_is_as_long_as_it_says(period, in_force) -> None:
    now = datetime(2026, 2, 1, 12, tzinfo=UTC)

    assert _is_in_force({"occurrencePeriod": period}, now) == in_force
