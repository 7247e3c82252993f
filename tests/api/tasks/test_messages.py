"""Messages that rules send: who gets them, and who may read them."""

import pytest

from ..guide import EHEALTH, to
from .conftest import value

CALL = {"to": "patient", "text": "We have seen your measurement and will call you."}
SOURCE = {
    "language": "fyr-rules/1",
    "rules": [{"name": "call", "when": "%value < 90", "message": CALL}],
}


@pytest.fixture
def sent(ward):
    """A citizen who was sent a message by rules, and the message."""
    case = ward.case(library=ward.library(SOURCE))
    case.submit(case.observation(84))
    (message,) = case.messages()
    return case, message


def test_a_rule_writes_to_the_citizen_as_a_device(sent) -> None:
    case, message = sent

    assert message["meta"]["profile"] == [f"{EHEALTH}message"]
    assert message["recipient"] == [to(case.patient)]
    assert message["subject"] == to(case.patient)
    assert message["category"][0]["coding"][0]["code"] == "notification"
    assert message["status"] == "completed"
    assert message["payload"] == [{"contentString": CALL["text"]}]
    assert message["sender"] == to(f"#{message['contained'][0]['id']}")
    assert message["partOf"] == [to(case.plan)]
    assert value(message, "administrative-status")["code"] == "activate"


def test_the_citizen_reads_it_and_nobody_elses(sent, ward) -> None:
    case, message = sent
    may = "Communication.read RestrictionCategory.None"
    place = f"Communication/{message['id']}"

    assert ward.at("patient", case.citizen(may)).get(place).status == 200
    stranger = ward.case()
    assert ward.at("patient", stranger.citizen(may)).get(place).status == 403


def test_the_team_reads_what_is_written_to_it(ward) -> None:
    told = {"to": "care-team", "category": "advice", "text": "Call the citizen"}
    rule = {"name": "call", "when": "%value < 90", "message": told}
    case = ward.case(library=ward.library({"language": "fyr-rules/1", "rules": [rule]}))
    case.submit(case.observation(84))
    (message,) = case.messages()
    may = "Communication.read RestrictionCategory.measurement-monitoring"
    place = f"Communication/{message['id']}"
    other = ward.of("CareTeam", status="active")

    assert value(message, "communication-recipientCareTeam") == to(case.team)
    assert ward.at("patient", case.nurse(may)).get(place).status == 200
    assert ward.at("patient", case.nurse(may, team=other)).get(place).status == 403
