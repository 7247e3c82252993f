"""Codes of value sets that are required."""

import copy

import pytest

from .words import only, told


@pytest.mark.parametrize(
    ("concept", "good"),
    [
        ({"coding": [{"system": "S", "code": "active"}]}, True),
        (
            {
                "coding": [
                    {"system": "urn:x", "code": "1"},
                    {"system": "S", "code": "active"},
                ]
            },
            True,
        ),
        ({"coding": [{"system": "S", "code": "sleeping"}]}, False),
        ({"coding": [{"system": "urn:x", "code": "active"}]}, False),
        ({"coding": [{"code": "active"}]}, False),
        ({"text": "active"}, False),
    ],
)
def test_a_required_concept_has_a_code_of_its_value_set(concept, good):
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    concept = copy.deepcopy(concept)
    for coding in concept.get("coding", ()):
        if coding.get("system") == "S":
            coding["system"] = system
    subject = {"reference": "Patient/1"}
    condition = {
        "resourceType": "Condition",
        "subject": subject,
        "clinicalStatus": concept,
    }

    assert (told(condition) == []) is good


def test_a_code_of_many_is_told_with_the_nearest_one():
    search = {
        "resourceType": "GraphDefinition",
        "name": "a",
        "status": "draft",
        "start": "Pateint",
    }

    assert "did you mean 'Patient'?" in only(search)
