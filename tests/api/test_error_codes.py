"""A refusal of the catalogue, as a client sees it."""

import pytest

from fyr.core import ErrorCode, Plugin, hookimpl

FULL = ErrorCode("WARD_FULL", 422, "Ward %s is full.", "ward")
SYSTEM = "https://fhir.example.org/error-code"


class Ward(Plugin):
    """Lets nobody in."""

    @hookimpl
    def register_error_codes(self):
        yield FULL

    @hookimpl
    def before_store(self, new):
        if new and new["resourceType"] == "Encounter":
            raise FULL.error("7", expression=["Encounter.location"])


@pytest.fixture
def fyr_plugins():
    return {"ward": Ward}


@pytest.fixture
def encounter():
    return {"resourceType": "Encounter", "status": "planned", "class": {"code": "AMB"}}


def issue(**more):
    told = {
        "severity": "error",
        "code": "processing",
        "diagnostics": "Ward 7 is full.",
        "expression": ["Encounter.location"],
    }
    return {**told, **more}


class TestByDefault:
    def test_the_text_is_told_and_not_the_code(self, fyr_client, encounter) -> None:
        answer = fyr_client.create(encounter)

        assert answer.status == 422
        assert answer.json == {"resourceType": "OperationOutcome", "issue": [issue()]}

    def test_the_application_knows_the_code(self, fyr_app) -> None:
        assert fyr_app.error_codes["WARD_FULL"] is FULL
        assert "GENERAL_RESOURCE_NOT_FOUND" in fyr_app.error_codes


class TestWhenConfigured:
    @pytest.fixture
    def fyr_options(self):
        return {"fhir": {"error_coding": SYSTEM}}

    coded = issue(details={"coding": [{"system": SYSTEM, "code": "WARD_FULL"}]})

    def test_the_code_stands_beside_the_text(self, fyr_client, encounter) -> None:
        answer = fyr_client.create(encounter)

        assert answer.json["issue"] == [self.coded]

    def test_the_code_stands_in_the_entries_of_a_batch_too(
        self, fyr_client, encounter
    ) -> None:
        entry = {
            "resource": encounter,
            "request": {"method": "POST", "url": "Encounter"},
        }
        batch = {"resourceType": "Bundle", "type": "batch", "entry": [entry]}

        answer = fyr_client.post("", batch)

        outcome = answer.json["entry"][0]["response"]["outcome"]
        assert outcome["issue"] == [self.coded]

    def test_other_errors_have_no_code(self, fyr_client) -> None:
        answer = fyr_client.get("Encounter/nobody")

        assert "details" not in answer.json["issue"][0]
