"""A store, and a measurement that is used again."""

import pytest

from .criteria import TARGET, criteria


@pytest.fixture
def store(store_url):
    """On each of the databases in turn."""
    return store_url


@pytest.fixture
def reusing(world, make):
    """Measure once, and make a submission that uses it again; parts may be other ones."""

    def made(*, order=None, past=None, target=None, provenance=None, criteria_of=None):
        old_order = world.an_order()
        (measured,) = world.submitted(world.observation(old_order, **(past or {})))
        order = order or world.an_order(
            extension=[criteria(make, **(criteria_of or {}))]
        )
        again = {**world.observation(order, **(target or {})), "fullUrl": TARGET}
        said = world.reuse(TARGET, f"Observation/{measured['id']}")
        said |= provenance or {}
        return again, said

    return made
