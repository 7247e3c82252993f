"""Those who send messages."""

import pytest


@pytest.fixture
def stage(world):
    """A citizen who takes NemSMS and another one who does not, and a care team."""
    for number, telecom in ((1, [{"system": "other", "value": "NemSMS"}]), (2, [])):
        patient = {"resourceType": "Patient", "id": str(number)}
        world.put({**patient, **({"telecom": telecom} if telecom else {})})
    world.put({"resourceType": "CareTeam", "id": "a", "status": "active"})
    return world


@pytest.fixture
def citizen(stage, people):
    may = "Communication.read Communication.write RestrictionCategory$none"
    return stage.at("patient", people("PATIENT", "Patient/1", "Patient/1", may=may))


@pytest.fixture
def nurse(stage, people):
    may = "Communication.read Communication.write RestrictionCategory$none"
    return stage.at(
        "patient", people("PRACTITIONER", "Practitioner/1", "CareTeam/a", may=may)
    )
