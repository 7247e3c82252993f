"""The tables of Task and ClinicalImpression, walked by every user."""

from fyr.core.testing import MachineContract
from fyr.plugins.clinical.tasks.machines import IMPRESSION, TASK


class TestTasks(MachineContract):
    machine = TASK

    def example(self, state):
        return {"resourceType": "Task", "status": state, "intent": "order"}


class TestImpressions(MachineContract):
    machine = IMPRESSION

    def example(self, state):
        return {
            "resourceType": "ClinicalImpression",
            "status": state,
            "subject": {"reference": "Patient/1"},
        }
