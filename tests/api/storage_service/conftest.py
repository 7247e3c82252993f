"""A server with the Storage Service."""

from dataclasses import replace
from typing import Any

import pytest

from fyr.core.testing.client import Client
from fyr.core.testing.principals import SYSTEM_USER

MACHINE = replace(
    SYSTEM_USER,
    privileges=frozenset({"DocumentReference.*", "Patient.*", "EpisodeOfCare.*"}),
)


@pytest.fixture
def fyr_options() -> dict[str, Any]:
    return {
        "plugins": {"enabled": ["search", "storage_service"]},
        "plugin": {"storage_service": {"thumbnail_pixels": 64}},
    }


@pytest.fixture(autouse=True)
def system(fyr_client: Client) -> Client:
    client = fyr_client.acting_as(MACHINE)
    patient = {"reference": "Patient/1"}
    for one in (
        {"resourceType": "Patient", "id": "1"},
        {"resourceType": "EpisodeOfCare", "id": "7", "status": "active"},
    ):
        episode = one["resourceType"] == "EpisodeOfCare"
        answer = client.update({**one, "patient": patient} if episode else one)
        assert answer.status == 201, answer.body
    return client
