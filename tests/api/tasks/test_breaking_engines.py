"""Automated processing with an engine that breaks."""

import json

import pytest

from fyr.core import RuleOutcome, hookimpl
from fyr.core.errors import Unavailable
from fyr.core.testing.applications import application, settings_with
from fyr.core.testing.clock import FakeClock

from .conftest import Ward, category


class Breaking:
    """An engine that fails in ways that engines should not."""

    answer: object = RuleOutcome()

    @hookimpl
    def evaluate_rules(self, library):
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.fixture
def broken(tmp_path, monkeypatch):
    from types import ModuleType

    engine = Breaking()
    module = ModuleType("breaking")
    module.evaluate_rules = hookimpl(lambda library: engine.evaluate_rules(library))
    options = {"plugins": {"enabled": ["search", "administrative", "clinical"]}}
    settings = settings_with(options, tmp_path)
    with application(settings, FakeClock(), {"breaking": module}) as built:
        yield Ward(built, built.clock), engine


@pytest.mark.parametrize(
    "misdeed", [RuntimeError("no such module"), SystemExit(3), object()]
)
def test_an_engine_that_breaks_leaves_no_measurement_unseen(broken, misdeed) -> None:
    ward, engine = broken
    engine.answer = misdeed
    case = ward.case(library=ward.library())
    provenance = case.submit(case.observation(84))
    (task,) = case.tasks()

    assert category(task) == "MeasurementForAssessmentFailureInAutoProcessing"
    identity = provenance.partition("/")[2]
    assert task["description"] == (
        f"The measurement of Provenance {identity} could not be processed."
    )


def test_an_engine_that_is_down_is_waited_for(broken) -> None:
    ward, engine = broken
    engine.answer = Unavailable("asleep")
    case = ward.case(library=ward.library())
    case.submit(case.observation(84))
    assert case.tasks() == []

    engine.answer = RuleOutcome()
    ward.clock.advance(hours=1)
    ward.work()
    topics = [one.topic for one in ward.built.outbox.tail(0)]
    assert "event_messages.told" in topics


def test_odd_proposals_of_an_engine_are_taken_as_far_as_they_make_sense(broken) -> None:
    ward, engine = broken
    engine.answer = RuleOutcome(
        resources=[
            {"resourceType": "Task", "priority": "at once", "status": "completed"},
            {"resourceType": "Communication", "payload": []},
            {"resourceType": "Patient"},
        ]
    )
    case = ward.case(library=ward.library())
    case.submit(case.observation(84))
    (task,) = case.tasks()

    assert (task["status"], task["priority"]) == ("requested", "routine")
    assert json.dumps(task)
