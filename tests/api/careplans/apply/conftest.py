"""An episode of care of a team."""

import pytest


@pytest.fixture
def team(clinic):
    return clinic.team()


@pytest.fixture
def episode(clinic, team):
    return clinic.episode(team, tags=("xa",))
