"""Nothing is stored of a submission that is refused; that is asked of every refusal."""

import pytest


@pytest.fixture
def problems(world, refused):
    """Submit resources that are refused; tell texts and places."""

    def told(*resources):
        before = world.stored()
        found = refused(world.submit(*resources))
        assert world.stored() == before
        return found

    return told
