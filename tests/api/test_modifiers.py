"""Modifiers over HTTP: value sets that are stored, and what a lenient search is told."""

from typing import Any

import pytest

from fyr.core.testing.client import Client

SYSTEM = "http://modifiers.example/codes"
VALUE_SET = {
    "resourceType": "ValueSet",
    "url": "http://modifiers.example/set",
    "status": "active",
    "compose": {"include": [{"system": SYSTEM, "concept": [{"code": "1"}]}]},
}


@pytest.fixture
def observation(client: Client) -> dict[str, Any]:
    """An observation with a code of a system that is these tests' own."""
    coding = {"system": SYSTEM, "code": "1", "display": "Første"}
    stored: dict[str, Any] = client.create(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [coding]},
        }
    ).json
    return stored


def test_a_value_set_is_searched_by_as_soon_as_it_is_stored(
    client: Client, observation: dict[str, Any]
) -> None:
    missing = client.get("Observation?code:in=http://modifiers.example/none")
    assert missing.status == 400
    assert missing.json["issue"][0]["code"] == "not-found"

    stored = client.create(VALUE_SET).json

    for address in (VALUE_SET["url"], f"ValueSet/{stored['id']}"):
        found = client.get(f"Observation?code:in={address}")
        assert observation["id"] in [one["id"] for one in found.resources]


def test_a_lenient_search_ignores_a_modifier_and_says_so(
    client: Client, observation: dict[str, Any]
) -> None:
    query = f"Observation?code={SYSTEM}|1&status:text=final"
    assert client.get(query).status == 400

    page = client.get(query, Prefer="handling=lenient")

    told = [one for one in page.resources if one["resourceType"] == "OperationOutcome"]
    assert "'status'" in told[0]["issue"][0]["diagnostics"]
    (own,) = [one["url"] for one in page.json["link"] if one["relation"] == "self"]
    assert "status" not in own
    assert "code=" in own


def test_a_code_that_is_only_a_text_is_not_missing(client: Client) -> None:
    def ids(query: str) -> set[str]:
        return {one["id"] for one in client.get(f"Observation?{query}").resources}

    stored = client.create(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "Kun tekst"},
        }
    ).json["id"]

    for there in ("code:text=kun tekst", "code:missing=false", "_filter=code pr true"):
        assert ids(f"_id={stored}&{there}") == {stored}, there
    for gone in ("code:missing=true", "_filter=code pr false"):
        assert ids(f"_id={stored}&{gone}") == set(), gone
