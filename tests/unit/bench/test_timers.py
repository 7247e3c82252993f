"""The bench of timers, on a store that is soon filled."""

import json

import pytest

from fyr.core.testing.postgres import available
from fyr.core.testing.servers import absent

from .conftest import Run


@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_timers_of_both_kinds_fire_to_the_last(run: Run, store: str) -> None:
    if store == "postgresql" and (why := available()):
        absent("postgresql", why)
    told = run("timers.py", "--store", store, "--pending", 1000).splitlines()

    for line, kind in zip(told, ("planned", "bare"), strict=True):
        found = json.loads(line)
        assert (found["kind"], found["left"]) == (kind, 0)
        assert found["per_second"] >= 0
