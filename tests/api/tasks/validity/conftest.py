"""A nurse, and a measurement."""

import pytest

from .impressions import MAY


@pytest.fixture
def nurse(case):
    return case.ward.at("task", case.nurse(MAY))


@pytest.fixture
def measured(case):
    return case.observation(97)
