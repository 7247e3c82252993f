"""What an index cannot do, or not in time."""

from contextlib import suppress
from dataclasses import replace

import pytest

from fyr.core.errors import Invalid, TookTooLong
from fyr.search.reporting.asking.knowing import Bounds
from fyr.search.reporting.asking.periods import time_zones

from .filling import Filled
from .naive import measured
from .questions import KNOWN


def test_a_time_zone_that_the_index_does_not_know_is_no_fault_of_the_server(
    filled: Filled,
) -> None:
    zones = {
        "EST",
        "MST",
        "ROC",
        "America/Coyhaique",
        "Europe/Copenhagen",
    } & time_zones()
    answered = set()
    with filled.holding([measured(1, effective=0)]):
        for zone in zones:
            key = {"dateHistogram": "effective", "interval": "day", "timeZone": zone}
            with suppress(Invalid):
                filled.rows({"from": "Observation", "groupBy": [key]})
                answered.add(zone)

    assert "Europe/Copenhagen" in answered


def test_an_answer_that_takes_too_long_is_given_up(filled: Filled) -> None:
    held = [measured(n, value=float(n), patient=f"Patient/{n}") for n in range(5_000)]
    sent = {
        "from": "Observation",
        "groupBy": [{"terms": "value"}],
        "metrics": {"p": {"distinct": "patient"}, "q": {"percentiles": "value"}},
    }
    hurried = replace(KNOWN, bounds=Bounds(seconds=0.001))
    with filled.holding(held):
        with pytest.raises(TookTooLong):
            filled.rows(sent, hurried)

        assert len(filled.rows(sent)) == 5_000
