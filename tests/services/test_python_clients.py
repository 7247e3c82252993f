"""fhirpy and fhirclient against a running server."""

import pytest
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import ResourceNotFound

from fyr.core.testing.process import FyrProcess


@pytest.fixture
def fhirpy(fyr: FyrProcess) -> SyncFHIRClient:
    return SyncFHIRClient(fyr.base)


def test_fhirpy_saves_reads_changes_and_deletes(fhirpy: SyncFHIRClient) -> None:
    patient = fhirpy.resource("Patient", name=[{"family": "Py", "given": ["Åse"]}])
    patient.save()
    patient["birthDate"] = "1948-05-17"
    patient.save()
    again = fhirpy.reference("Patient", patient["id"]).to_resource()

    assert again["birthDate"] == "1948-05-17"
    assert again["meta"]["versionId"] == "2"

    patient.delete()

    with pytest.raises(ResourceNotFound):
        fhirpy.reference("Patient", patient["id"]).to_resource()


def test_fhirpy_pages_through_a_search(fhirpy: SyncFHIRClient) -> None:
    for year in range(2000, 2005):
        fhirpy.resource(
            "Patient", name=[{"family": "Bladre"}], birthDate=str(year)
        ).save()

    found = fhirpy.resources("Patient").search(family="Bladre").limit(2).fetch_all()

    assert sorted(patient["birthDate"] for patient in found) == [
        "2000",
        "2001",
        "2002",
        "2003",
        "2004",
    ]


def test_fhirpy_sends_a_transaction(fhirpy: SyncFHIRClient) -> None:
    bundle = fhirpy.resource(
        "Bundle",
        type="transaction",
        entry=[
            {
                "fullUrl": "urn:uuid:9c4c8f2e-1f0e-4f6e-8d2b-6f6d5a000001",
                "resource": {"resourceType": "Organization", "name": "Strandby"},
                "request": {"method": "POST", "url": "Organization"},
            },
            {
                "resource": {
                    "resourceType": "Patient",
                    "managingOrganization": {
                        "reference": "urn:uuid:9c4c8f2e-1f0e-4f6e-8d2b-6f6d5a000001"
                    },
                },
                "request": {"method": "POST", "url": "Patient"},
            },
        ],
    )
    bundle.save()

    assert [entry["response"]["status"][:3] for entry in bundle["entry"]] == [
        "201",
        "201",
    ]


def test_fhirclient_creates_reads_and_searches(fyr: FyrProcess) -> None:
    from fhirclient.client import FHIRClient
    from fhirclient.models.humanname import HumanName
    from fhirclient.models.patient import Patient

    smart = FHIRClient(settings={"app_id": "test", "api_base": fyr.base})
    patient = Patient()
    patient.name = [HumanName({"family": "Smart", "given": ["Bo"]})]
    answer = patient.create(smart.server)

    read = Patient.read(answer["id"], smart.server)
    found = Patient.where({"family": "Smart"}).perform_resources_iter(smart.server)

    assert read.name[0].family == "Smart"
    assert [patient.id for patient in found] == [answer["id"]]
