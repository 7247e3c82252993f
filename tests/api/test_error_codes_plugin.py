"""``/error-codes``: the catalogue for those who call."""

import pytest

from fyr.core import ErrorCode, Plugin, hookimpl
from fyr.core.testing import PluginContract


class Ward(Plugin):
    @hookimpl
    def register_error_codes(self):
        yield ErrorCode("WARD_FULL", 422, "Ward %s is full.", "ward")


ROW = {
    "name": "WARD_FULL",
    "status": 422,
    "text": "Ward %s is full.",
    "values": 1,
    "area": "ward",
}


class TestErrorCodes(PluginContract):
    plugin = "error_codes"
    private_imports = frozenset(
        {
            "fyr.config.neighbours",
            "fyr.config.settings",
            "fyr.core.app",
            "fyr.core.declarations.toml_files",
            "fyr.core.errors.catalogue",
            "fyr.core.hooks.loading",
        }
    )

    @pytest.fixture
    def fyr_plugins(self):
        return {"ward": Ward}

    def test_all_codes_are_told_in_the_order_of_their_names(
        self, fyr_client, fyr_app
    ) -> None:
        told = fyr_client.get("/error-codes").json

        names = [one["name"] for one in told["codes"]]
        assert names == sorted(fyr_app.error_codes)
        assert told["count"] == len(names)
        assert ROW in told["codes"]

    def test_one_code_is_told_by_its_name(self, fyr_client) -> None:
        assert fyr_client.get("/error-codes/WARD_FULL").json == ROW

    def test_a_misspelt_name_is_answered_with_its_neighbour(self, fyr_client) -> None:
        answer = fyr_client.get("/error-codes/WARD_FUL")

        assert answer.status == 404
        assert "WARD_FULL" in answer.issues[0]

    def test_the_codes_are_a_code_system_that_can_be_stored(self, fyr_client) -> None:
        made = fyr_client.get("/error-codes/CodeSystem")

        assert made.headers["content-type"].startswith("application/fhir+json")
        assert made.json["url"].endswith("/error-codes/CodeSystem")
        assert fyr_client.update(made.json).status == 201


class TestWithACodeSystemOfItsOwn:
    @pytest.fixture
    def fyr_options(self):
        return {
            "plugins": {"enabled": ["search", "error_codes"]},
            "fhir": {"error_coding": "https://fhir.example.org/error-code"},
        }

    def test_the_code_system_has_the_url_that_outcomes_name(self, fyr_client) -> None:
        made = fyr_client.get("/error-codes/CodeSystem").json

        assert made["url"] == "https://fhir.example.org/error-code"
