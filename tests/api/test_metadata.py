"""What a client learns before it asks: https://hl7.org/fhir/R4/http.html#capabilities."""

from typing import Any

import pytest

from fyr.core import Operation, OperationCall, Service, TypeRules, hookimpl
from fyr.core.hooks.plugin import Plugin
from fyr.core.model.validation import problems
from fyr.core.testing.client import Client


def resource_of(statement: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in statement["rest"][0]["resource"] if one["type"] == name
    )
    return found


def codes(described: dict[str, Any]) -> set[str]:
    return {one["code"] for one in described["interaction"]}


@pytest.fixture(scope="module")
def statement(client: Client) -> dict[str, Any]:
    told: dict[str, Any] = client.get("metadata").json
    return told


def test_the_statement_is_valid_fhir(statement: dict[str, Any]) -> None:
    assert problems(statement, expected_type="CapabilityStatement") == []


def test_the_statement_tells_version_formats_and_address(
    statement: dict[str, Any],
) -> None:
    assert statement["fhirVersion"] == "4.0.1"
    assert statement["kind"] == "instance"
    assert {"application/fhir+json", "application/fhir+xml"} <= set(statement["format"])
    assert "application/json-patch+json" in statement["patchFormat"]
    assert statement["implementation"]["url"] == "http://localhost/fhir"


def test_every_type_is_offered_with_all_that_fhir_has(
    statement: dict[str, Any],
) -> None:
    assert len(statement["rest"][0]["resource"]) == 146
    patient = resource_of(statement, "Patient")
    assert codes(patient) == {
        "read",
        "vread",
        "update",
        "patch",
        "delete",
        "history-instance",
        "history-type",
        "create",
        "search-type",
    }
    assert patient["conditionalCreate"] is True
    assert patient["conditionalDelete"] == "single"
    assert {"transaction", "batch"} <= codes(statement["rest"][0])


def test_search_parameters_are_those_of_the_search_engine(
    statement: dict[str, Any],
) -> None:
    told = {
        one["name"]: one for one in resource_of(statement, "Patient")["searchParam"]
    }

    assert told["birthdate"]["type"] == "date"
    assert "_id" in told


def test_what_a_search_can_include_is_told(
    client: Client, statement: dict[str, Any]
) -> None:
    patient = resource_of(statement, "Patient")
    includes, reverse = patient["searchInclude"], patient["searchRevInclude"]

    assert {"Patient:organization", "Patient:link"} <= set(includes)
    assert {"Observation:subject", "Patient:link", "Provenance:target"} <= set(reverse)
    assert "Patient:birthdate" not in includes
    assert "Observation:performer" not in resource_of(statement, "Basic").get(
        "searchRevInclude", ()
    )
    asked = [("_include", one) for one in includes]
    asked += [("_revinclude", one) for one in reverse]
    # No search takes more of them at a time.
    for begin in range(0, len(asked), 50):
        some = asked[begin : begin + 50]
        assert client.get("Patient", [("_id", "none"), *some]).status == 200


class TestWithoutSearch:
    @pytest.fixture
    def fyr_options(self) -> dict[str, Any]:
        return {"plugins": {"enabled": []}}

    def test_a_server_without_search_offers_nothing_by_criteria(
        self, fyr_client: Client
    ) -> None:
        patient = resource_of(fyr_client.get("metadata").json, "Patient")

        assert patient["conditionalCreate"] is False
        assert patient["conditionalUpdate"] is False
        assert patient["conditionalDelete"] == "not-supported"
        assert patient["conditionalRead"] == "full-support"
        assert "searchRevInclude" not in patient


def test_a_statement_that_has_not_changed_is_not_sent_again(client: Client) -> None:
    tag = client.get("metadata").headers["etag"]

    assert client.get("metadata", If_None_Match=tag).status == 304


def test_the_statement_comes_in_xml_too(client: Client) -> None:
    answer = client.get("metadata", params={"_format": "xml"})

    assert b"<CapabilityStatement" in answer.body


@pytest.mark.parametrize(("mode", "status"), [("normative", 200), ("odd", 400)])
def test_modes(client: Client, mode: str, status: int) -> None:
    assert client.get("metadata", params={"mode": mode}).status == status


class Plans(Plugin):
    """A service with two types, one of them to be read only, and an operation."""

    @hookimpl
    def register_services(self) -> list[Service]:
        reading = TypeRules(frozenset({"read", "search-type"}), frozenset({"status"}))
        all_of_it = TypeRules(
            frozenset({"read", "create", "update"}), conditional=False
        )
        return [
            Service(
                "plan",
                "plan/fhir",
                "Plans",
                {"PlanDefinition": reading, "Basic": all_of_it},
                operations=frozenset({"draw"}),
            )
        ]

    @hookimpl
    def register_operations(self) -> list[Operation]:
        def draw(call: OperationCall) -> dict[str, Any]:
            return {"resourceType": "Parameters"}

        def secret(call: OperationCall) -> dict[str, Any]:
            return {"resourceType": "Parameters"}

        plan = frozenset({"PlanDefinition"})
        return [
            Operation(
                "draw", draw, frozenset({"instance"}), plan, documentation="Draws."
            ),
            Operation("secret", secret, frozenset({"system"}), affects_state=True),
        ]


class TestService:
    @pytest.fixture
    def fyr_plugins(self) -> dict[str, type[Plugin]]:
        return {"plans": Plans}

    @pytest.fixture
    def plans(self, fyr_client: Client) -> Client:
        return Client(fyr_client.wsgi, "/plan/fhir")

    def test_a_service_tells_what_it_offers_and_no_more(self, plans: Client) -> None:
        statement = plans.get("metadata").json

        assert problems(statement) == []
        assert [one["type"] for one in statement["rest"][0]["resource"]] == [
            "Basic",
            "PlanDefinition",
        ]
        plan = resource_of(statement, "PlanDefinition")
        assert codes(plan) == {"read", "search-type"}
        names = {one["name"] for one in plan["searchParam"]}
        assert "status" in names
        assert "publisher" not in names
        assert [one["name"] for one in plan["operation"]] == ["draw"]
        assert "operation" not in statement["rest"][0]
        basic = resource_of(statement, "Basic")
        assert basic["conditionalUpdate"] is False
        assert "searchInclude" not in basic
        assert "searchInclude" not in plan

    def test_the_definition_of_an_operation_is_where_it_is_said_to_be(
        self, plans: Client
    ) -> None:
        plan = resource_of(plans.get("metadata").json, "PlanDefinition")
        url = plan["operation"][0]["definition"]

        definition = plans.get("/" + url.split("/", 3)[3]).json

        assert definition["resourceType"] == "OperationDefinition"
        assert definition["code"] == "draw"
        assert definition["url"] == url
        assert problems(definition) == []

    def test_what_a_service_does_not_offer_is_refused(self, plans: Client) -> None:
        answer = plans.delete("PlanDefinition/1")

        assert answer.status == 405
        assert answer.headers["allow"] == "GET, HEAD"
        assert plans.get("Patient/1").status == 404
        assert plans.post("$secret").status == 404

    def test_services_see_the_same_resources(
        self, plans: Client, fyr_client: Client
    ) -> None:
        made = plans.create({"resourceType": "Basic", "code": {"text": "x"}})

        assert "/plan/fhir/Basic/" in made.headers["location"]
        assert fyr_client.get(f"Basic/{made.json['id']}").json == made.json

    def test_an_operation_that_changes_something_is_called_by_post(
        self, fyr_client: Client
    ) -> None:
        assert fyr_client.post("$secret").status == 200
        refused = fyr_client.get("$secret")
        assert refused.status == 405
        assert refused.headers["allow"] == "POST"
