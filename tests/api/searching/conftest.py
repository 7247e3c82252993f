"""Patients of one city."""

import pytest

from fyr.core.testing.client import Client


@pytest.fixture
def city(client: Client) -> str:
    """The name of a city that two patients, and nobody else, live in."""
    made = [{"address": [{"city": "-"}], "resourceType": "Patient"} for _ in "ab"]
    first = client.create(made[0]).json["id"]
    name = f"city{first}".replace("-", "")
    for identity in (first, client.create(made[1]).json["id"]):
        address = [{"city": name}]
        client.update({"resourceType": "Patient", "id": identity, "address": address})
    return name
