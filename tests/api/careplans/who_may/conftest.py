"""A team, an episode of its own, and a plan for it."""

import pytest

from .asking import EDIT, who


@pytest.fixture
def team(guarded):
    return guarded.team()


@pytest.fixture
def episode(guarded, team):
    return guarded.episode(team, tags=("xa",))


@pytest.fixture
def plan(guarded):
    return guarded.plan(guarded.activity(), guarded.plan(guarded.activity()))


@pytest.fixture
def nurse(team, episode):
    return who("PRACTITIONER", EDIT, care_team=team, episode_of_care=episode)
