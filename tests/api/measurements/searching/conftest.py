"""Searches for measurements."""

import pytest

from .periods import reference


@pytest.fixture
def store(store_url):
    """On each of the databases in turn."""
    return store_url


@pytest.fixture
def search(world):
    def called(*parameters, limited=False, by=None):
        name = "$search-measurements" + ("-bundle-limit" if limited else "")
        body = {"resourceType": "Parameters"}
        if parameters:
            body["parameter"] = list(parameters)
        return (by or world.measurement).post(name, body)

    return called


@pytest.fixture
def found(world, search):
    """Search, and tell the ids of each bundle."""

    def told(*parameters, limited=False):
        answer = search(*parameters, limited=limited)
        assert answer.status == 200, answer.body
        assert answer.json["type"] == "collection"
        return [
            [one["resource"]["id"] for one in bundle["entry"]]
            for bundle in answer.resources
        ]

    return told


@pytest.fixture
def mine(world):
    return reference("patient", f"Patient/{world.patient}")
