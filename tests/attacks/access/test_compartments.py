"""Compartments, by which a search would get around the context's parameter."""

import pytest


@pytest.mark.parametrize(
    "path",
    [
        "Patient/2/Observation",
        "Patient/2/*",
        "Patient/1/Observation",
        "Patient/2/CarePlan",
    ],
)
def test_a_compartment_is_no_way_around(world, kit, decides, path) -> None:
    nurse = kit.nurse("a", 1, may="Observation.search CarePlan.search Patient.read")

    everything = world.at("measurement", nurse).get(f"/fhir/{path}")
    assert everything.status == (403 if decides else 200)
    for service in ("measurement", "careplan", "patient"):
        answer = world.at(service, nurse).get(path)
        assert answer.status in ((403, 404, 405) if decides else (200, 404, 405))


def test_a_system_searches_a_compartment_by_its_privileges(guarded, kit) -> None:
    system = kit.who("SYSTEM", may="Observation.search")
    client = guarded.at("measurement", system)

    assert client.get("/fhir/Patient/2/Observation").status == 200
    assert client.get("/fhir/Patient/2/Condition").status == 403
    assert client.get("/fhir/Patient/2/*").status == 403
