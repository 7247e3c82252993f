"""Whose data it was: by way of other resources, of other servers, or nobody's."""

from .words import BASE, patients, touched


def test_patients_are_found_by_way_of_the_episode_of_care(nurse, log) -> None:
    episode = {"resourceType": "EpisodeOfCare", "id": "e", "status": "active"}
    nurse.update({**episode, "patient": {"reference": "Patient/bo"}})
    url = "http://example.org/episode"
    extension = {"url": url, "valueReference": {"reference": "EpisodeOfCare/e"}}
    nurse.create(
        {"resourceType": "Basic", "code": {"text": "x"}, "extension": [extension]}
    )

    assert [patients(one) for one in log.all()] == [[f"{BASE}/Patient/bo"]] * 2


def test_what_belongs_to_nobody_stands_apart(nurse, log) -> None:
    nurse.update({"resourceType": "Organization", "id": "o", "name": "x"})
    nurse.update(
        {
            "resourceType": "Patient",
            "id": "cy",
            "managingOrganization": {"reference": "Organization/o"},
        }
    )
    before = len(log.all())

    nurse.get("Patient?_id=cy&_include=Patient:organization")

    cy, nobody = log.all()[before:]
    assert touched(cy) == [("read", "Patient/cy/_history/1")]
    assert patients(nobody) == []
    assert touched(nobody) == [("read", "Organization/o/_history/1")]


def test_a_patient_of_another_server_is_told_with_that_servers_url(nurse, log) -> None:
    there = "https://patient.example.org/fhir/Patient/ada"
    nurse.create(
        {
            "resourceType": "Basic",
            "code": {"text": "x"},
            "subject": {"reference": there},
        }
    )

    assert patients(log.one()) == [there]
