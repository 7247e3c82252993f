"""Requests of nobody who is known: counted by address, each of them, or none."""

import pytest

from fyr.core.model.validation import problems

from .words import NURSE, patients


def stopped(app):
    """Stop the plugin, which is when what was counted is told at the latest."""
    next(one.target for one in app.plugins if one.name == "audit").stop()


@pytest.fixture
def strangers():
    return "counted"


@pytest.fixture
def fyr_options(strangers):
    return {
        "security": {"mode": "closed"},
        "plugins": {"enabled": ["search", "audit"]},
        "plugin": {"audit": {"strangers": strangers} if strangers else {}},
    }


@pytest.mark.parametrize("strangers", ["each", True, "none", False])
def test_each_leaves_a_trace_where_it_is_wished(fyr_client, log, strangers) -> None:
    for path in ("Patient/ada", "Patient?name=x", "metadata"):
        fyr_client.get(path)

    events = log.all()

    assert len(events) == (2 if strangers in ("each", True) else 0)
    for event in events:
        (agent,) = event["agent"]
        assert agent["who"]["identifier"]["value"] == "unknown"
        assert event["outcome"] == "4"
        assert patients(event) == []


@pytest.mark.parametrize("strangers", ["counted", None])
def test_they_are_counted_in_one_entry_for_their_address(
    fyr_app, fyr_client, log
) -> None:
    for _ in range(5):
        fyr_client.get("Patient/ada")
    guessed = fyr_client.with_headers(Authorization="Bearer 2603200001.secret.x")
    for path in ("Patient?name=Berggren", "Observation"):
        assert guessed.get(path).status == 401
    fyr_client.get("metadata")

    stopped(fyr_app)

    event = log.one()
    assert problems(event) == []
    (agent,) = event["agent"]
    assert agent["who"]["identifier"]["value"] == "unknown"
    assert agent["network"] == {"address": "127.0.0.1", "type": "2"}
    assert event["outcome"] == "4"
    (entity,) = event["entity"]
    assert {one["type"]: one["valueString"] for one in entity["detail"]} == {
        "address": "127.0.0.1",
        "attempts": "7",
        "with a token": "2",
    }
    # Nothing of what nobody has proved, and nothing of what was asked for.
    for told in ("2603200001", "secret", "Berggren", "ada"):
        assert told not in log.text()


def test_those_of_who_is_known_are_told_one_by_one(fyr_app, fyr_client, log) -> None:
    refused = fyr_client.acting_as(NURSE).get("Condition/1")
    assert refused.status == 403

    stopped(fyr_app)

    assert log.one()["agent"][0]["who"]["type"] == "Practitioner"
