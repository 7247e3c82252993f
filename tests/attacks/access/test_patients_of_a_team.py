"""Before a patient is chosen a care team sees who its patients are, and little more."""

import pytest


@pytest.fixture
def nurse(kit):
    return kit.nurse("a", may="Patient.read")


@pytest.mark.parametrize(
    "query",
    [
        "Patient",
        "Patient?_elements=address",
        "Patient?_summary=false",
        "Patient?name=Secret",
        "Patient?_id=1,2",
    ],
)
def test_a_team_finds_its_own_patients_with_few_elements(
    world, nurse, decides, query
) -> None:
    answer = world.at("patient", nurse).get(query)

    assert answer.status == 200
    found = {one["id"] for one in answer.resources}
    assert found == ({"1"} if decides else {"1", "2"})
    if decides:
        assert all("address" not in one for one in answer.resources)


def test_a_patient_that_is_chosen_is_seen_whole_and_alone(guarded, kit) -> None:
    nurse = kit.nurse("a", 0, "Patient/1", may="Patient.read")

    answer = guarded.at("patient", nurse).get("Patient?name=Secret")

    assert [one["id"] for one in answer.resources] == ["1"]
    assert "address" in answer.resources[0]
    assert guarded.at("patient", nurse).get("Patient?_id=2").resources == []
    assert guarded.at("patient", nurse).get("Patient/2").status == 403


def test_criteria_do_not_tell_what_is_not_shown(guarded, nurse) -> None:
    """A team may not find out addresses by asking for each."""
    answer = guarded.at("patient", nurse).get("Patient?address-city=Odense")

    assert answer.status == 403


def test_a_lenient_search_leaves_out_nothing_that_keeps_it_inside(
    guarded, nurse
) -> None:
    """Not even what the client sends itself, and what cannot be searched by just now."""
    client = guarded.at("patient", nurse).with_headers(Prefer="handling=lenient")

    assert client.get("Patient?nonsense=1").status == 400
    own = client.get("Patient?_has:EpisodeOfCare:patient:team=CareTeam/a")
    assert {one["id"] for one in own.resources} <= {"1"}
