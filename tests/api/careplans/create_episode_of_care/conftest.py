"""An episode of care that is to begin."""

import pytest

from .words import ACT, EPISODE, SKS, C, E, P, to


@pytest.fixture
def patient(clinic):
    return clinic.patient()


@pytest.fixture
def parts(patient):
    """The parts of a Bundle that is right, to be spoilt by tests."""
    episode = {
        "resourceType": "EpisodeOfCare",
        "status": "planned",
        "patient": to(f"http://localhost/patient/fhir/{patient}"),
        "managingOrganization": to("Organization/1"),
        "diagnosis": [{"condition": to(C), "rank": 1}],
        "period": {"start": "2026-01-08T08:00:00+00:00"},
    }
    condition = {
        "resourceType": "Condition",
        "subject": to(patient),
        "code": {"coding": [{"system": SKS, "code": "DJ44"}]},
        "extension": [{"url": EPISODE, "valueReference": to(E)}],
    }
    provenance = {
        "resourceType": "Provenance",
        "target": [to(E)],
        "recorded": "2026-01-08T08:00:00Z",
        "policy": [ACT],
        "agent": [{"who": to(patient)}],
    }
    return {P: provenance, E: episode, C: condition}


def bundle(parts):
    entries = [
        {
            "fullUrl": name,
            "resource": one,
            "request": {"method": "POST", "url": one["resourceType"]},
        }
        for name, one in parts.items()
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@pytest.fixture
def begin(clinic, parts):
    def begun(client=None, **headers):
        given = {"name": "episodeOfCareAndProvenances", "resource": bundle(parts)}
        sent = {"resourceType": "Parameters", "parameter": [given]}
        return (client or clinic.careplan).post(
            "$create-episode-of-care", sent, **headers
        )

    return begun
