"""CommunicationRequests: who wants reminders, and messages about what was measured."""

from collections.abc import Iterator
from typing import Any

import pytest

from ..guide import EPISODE, concept, ext, to
from .conftest import RANGES, Ward, opened
from .missing.watched import Watched

REASONS = "http://ehealth.sundhed.dk/cs/message-reasonCode"
MISSING = "MissingMeasurementResolving"


@pytest.fixture(scope="module")
def own_ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """A server of its own: what happens here takes days."""
    with opened(tmp_path_factory.mktemp("wanted")) as built:
        yield Ward(*built)


@pytest.fixture
def case(own_ward: Ward) -> Watched:
    return Watched(own_ward)


def wish(case: Any, recipient: str = "", **more: Any) -> str:
    """Say what a recipient wants; without more, that it is no message."""
    given = {"doNotPerform": True} if "payload" not in more else {}
    return str(
        case.ward.of(
            "CommunicationRequest",
            status="active",
            subject=to(case.patient),
            recipient=[to(recipient or case.patient)],
            **{**given, **more},
        )
    )


def about(reason: str) -> Any:
    return {"reasonCode": [concept(reason, REASONS)]}


def test_a_patient_who_wants_no_reminders_gets_none(case: Watched) -> None:
    wish(case, **about("ReminderSubmitMeasurement"))

    case.later(hours=3)
    assert case.messages() == []
    # Whoever is to ask why nothing was measured is told all the same.
    case.later(hours=1)
    assert len(case.tasks()) == 1
    assert len(case.messages()) == 1


def test_a_team_that_wants_no_messages_has_the_task_still(case: Watched) -> None:
    wish(case, case.team)
    case.ward.messages.new()

    case.later(hours=2)
    case.later(hours=2)

    assert len(case.tasks()) == 1
    assert len(case.events()) == 1
    assert [one.get("recipient") for one in case.messages()] == [[to(case.patient)]]


def test_a_patient_is_reminded_in_other_words(case: Watched) -> None:
    said = [{"contentString": "Så er det tid."}]
    wish(case, payload=said)

    case.later(hours=2)

    assert [one["payload"] for one in case.messages()] == [said]


def test_what_somebody_has_to_carry_is_on_its_way(case: Watched) -> None:
    medium = [concept("nemsms", "http://ehealth.sundhed.dk/cs/message-medium")]
    wish(case, payload=[{"contentString": "Mål nu."}], medium=medium)

    case.later(hours=2)

    (message,) = case.messages()
    assert message["medium"] == medium
    assert (message["status"], "sent" in message) == ("in-progress", False)


@pytest.mark.parametrize(("of", "told"), [("request", 0), ("plan", 0), ("other", 1)])
def test_one_that_is_based_on_something_is_about_that_alone(
    case: Watched, of: str, told: int
) -> None:
    other = case.service_request(status="completed")
    based = {"request": case.request, "plan": case.plan, "other": other}[of]
    wish(case, basedOn=[to(based)])

    case.later(hours=2)

    assert len(case.messages()) == told


def test_one_of_another_episode_or_patient_does_not_count(case: Watched) -> None:
    other = Watched(case.ward)
    wish(case, extension=[ext(EPISODE, valueReference=to(other.episode))])
    wish(other)

    case.later(hours=2)

    assert len(case.messages()) == 1
    assert other.messages() == []


def test_a_wish_counts_from_its_danish_day_on(case: Watched) -> None:
    tomorrow = f"{case.ward.clock():%Y-%m-%d}"
    wish(case, occurrencePeriod={"start": "2999-01-01"})
    wish(case, occurrencePeriod={"start": "2020-01-01", "end": "2020-12"})
    case.later(hours=2)
    assert len(case.messages()) == 1

    wish(case, occurrencePeriod={"start": tomorrow})
    case.later(days=1, hours=2)

    to_patient = [one for one in case.messages() if "recipient" in one]
    assert len(to_patient) == 1


@pytest.mark.parametrize("of", ["", "request"])
def test_a_team_that_wants_no_messages_of_rules_has_their_task(
    ward: Ward, of: str
) -> None:
    case = ward.case(library=ward.library(), ranges=RANGES)
    based = {"basedOn": [to(case.request)]} if of else {}
    wish(case, case.team, **based)

    case.submit(case.observation(85))

    assert [one["priority"] for one in case.tasks()] == ["urgent"]
    assert case.messages() == []
