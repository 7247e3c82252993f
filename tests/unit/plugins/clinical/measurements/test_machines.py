"""The tables of measurements: every pair of states, every type of user, random walks."""

from fyr.core.testing import MachineContract
from fyr.plugins.clinical.measurements import machines
from fyr.plugins.clinical.measurements.completing import IDENTIFIERS
from fyr.plugins.clinical.measurements.machines import was_submitted

MINE = {"system": IDENTIFIERS, "value": "1"}
EPISODE = {
    "url": "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare",
    "valueReference": {"reference": "EpisodeOfCare/1"},
}


class TestObservation(MachineContract):
    machine = machines.OBSERVATION

    def example(self, state):
        return {
            "resourceType": "Observation",
            "status": state,
            "code": {"text": "weight"},
            "identifier": [MINE],
        }


class TestMedia(MachineContract):
    machine = machines.MEDIA

    def example(self, state):
        return {
            "resourceType": "Media",
            "status": state,
            "content": {"title": "x"},
            "identifier": [MINE],
        }


class TestQuestionnaireResponse(MachineContract):
    machine = machines.QUESTIONNAIRE_RESPONSE

    def example(self, state):
        return {
            "resourceType": "QuestionnaireResponse",
            "status": state,
            "extension": [EPISODE],
        }


def test_what_has_no_identifier_of_the_server_was_not_submitted() -> None:
    other = {"system": "urn:mine", "value": "1"}

    assert was_submitted({"identifier": [other, MINE]})
    assert was_submitted({"identifier": MINE})
    assert not was_submitted({"identifier": [other]})
    assert not was_submitted({"identifier": other})
    assert not was_submitted({})
