"""Many who submit at a time, and what fails at its end: all of a submission, or nothing."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest

from fyr.core import Refused, hookimpl
from fyr.core.testing.applications import Events, application, settings_with
from fyr.core.testing.clock import FakeClock

MEASURED = ("Observation", "Media", "Provenance")
CLIENTS, EACH = 4, 5


@pytest.fixture
def store(store_url, tmp_path):
    """On each of the databases in turn; in memory there is one at a time."""
    return "sqlite:///fyr.db" if store_url == "sqlite://" else store_url


def test_submissions_at_one_time_are_each_stored_whole(world) -> None:
    order = world.an_order()
    events = Events(world.built)
    events.new()

    def submit(_number):
        return world.submitted(world.observation(order), world.media(order))

    with ThreadPoolExecutor(CLIENTS) as clients:
        stored = list(clients.map(submit, range(CLIENTS * EACH)))

    told = Counter((one.type, one.id) for one in events.new() if one.type in MEASURED)
    assert Counter(kind for kind, _ in told) == dict.fromkeys(MEASURED, CLIENTS * EACH)
    assert set(told.values()) == {1}
    for observation, media, *_ in stored:
        (one,) = world.provenances(f"Observation/{observation['id']}")
        (other,) = world.provenances(f"Media/{media['id']}")
        assert one == other


def test_an_order_that_ends_meanwhile_is_met_by_what_came_before_its_end(world) -> None:
    """Who was answered that it is stored finds it, and who was not finds nothing."""
    order = world.an_order(occurrencePeriod={"start": "2026-01-01T08:00:00+01:00"})
    request = world.everything.get(f"ServiceRequest/{order}").json

    def submit(number):
        if number == EACH:
            answer = world.everything.update({**request, "status": "completed"})
            assert answer.status == 200, answer.body
            return 0
        return world.submit(world.observation(order)).status

    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = Counter(clients.map(submit, range(CLIENTS * EACH)))

    stored = world.stored()
    assert set(answers) <= {0, 200, 422}
    assert stored.get("Observation", 0) == stored.get("Provenance", 0) == answers[200]
    assert world.submit(world.observation(order)).status == 422


def test_a_submission_that_is_refused_at_its_end_leaves_nothing(
    tmp_path, options, new_world
) -> None:
    """By what is asked when all of it is written, and nothing is committed."""
    late = ModuleType("late")

    @hookimpl
    def stored(new):
        if new["resourceType"] == "Provenance":
            raise Refused("not today")

    late.stored = stored
    options["plugins"]["enabled"].append("late")
    settings = settings_with(options, tmp_path)
    with application(settings, FakeClock(), {"late": late}) as built:
        world = new_world(built)
        order = world.an_order()
        events = Events(built)
        events.new()
        before = world.stored()
        # What was put in before is nobody's, and is swept away in time.
        blobs = "SELECT COUNT(*) FROM blob WHERE due IS NULL"

        answer = world.submit(world.observation(order), world.media(order))

        assert answer.status == 422, answer.body
        assert world.stored() == before
        assert events.new() == []
        assert built.database.rows(blobs) == [(0,)]
