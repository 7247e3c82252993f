"""The tables of episodes of care, care plans and service requests, walked."""

from fyr.core.testing import MachineContract
from fyr.plugins.clinical.careplans.machines import (
    CARE_PLAN,
    EPISODE_OF_CARE,
    SERVICE_REQUEST,
)

PATIENT = {"reference": "Patient/1"}


class TestEpisodesOfCare(MachineContract):
    machine = EPISODE_OF_CARE

    def example(self, state):
        return {"resourceType": "EpisodeOfCare", "status": state, "patient": PATIENT}


class TestCarePlans(MachineContract):
    machine = CARE_PLAN

    def example(self, state):
        return {
            "resourceType": "CarePlan",
            "status": state,
            "intent": "order",
            "subject": PATIENT,
        }


class TestServiceRequests(MachineContract):
    machine = SERVICE_REQUEST

    def example(self, state):
        return {
            "resourceType": "ServiceRequest",
            "status": state,
            "intent": "order",
            "subject": PATIENT,
        }
