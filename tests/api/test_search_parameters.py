"""SearchParameter resources over HTTP: stored, indexed, searched by, and gone again."""

from collections.abc import Iterator
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.interactions.explaining import EXPLAIN
from fyr.core.interactions.searching import FORMS
from fyr.core.rest.negotiation import VIEW_PARAMETERS
from fyr.core.searching import CURSOR, POSTED
from fyr.core.testing.client import Client
from fyr.search.understanding.results import RESULTS
from fyr.search.understanding.specials import SPECIALS

URL = "http://example.org/eye-colour"
BLUE = {"coding": [{"system": "http://colours", "code": "blue"}]}


def parameter(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "SearchParameter",
        "id": "eye-colour",
        "url": "http://example.org/SearchParameter/eye-colour",
        "name": "EyeColour",
        "status": "active",
        "description": "Colour of the eyes.",
        "code": "eye-colour",
        "base": ["Patient"],
        "type": "token",
        "expression": f"Patient.extension.where(url='{URL}').value as CodeableConcept",
        **more,
    }


def patient(identity: str, **more: Any) -> dict[str, Any]:
    extension = {"url": URL, "valueCodeableConcept": BLUE}
    return {
        "resourceType": "Patient",
        "id": identity,
        "extension": [extension],
        **more,
    }


@pytest.fixture
def clean(client: Client, shared_app: Application) -> Iterator[None]:
    yield
    client.delete("SearchParameter/eye-colour")
    for number in ("1", "2", "3", "4", "away"):
        client.delete(f"Patient/eyes-{number}")
    shared_app.worker().drain()


def stored(client: Client, app: Application, **more: Any) -> None:
    answer = client.update(parameter(**more))
    assert answer.status < 300, answer.json
    app.worker().drain()


def state(client: Client, identity: str = "eye-colour") -> dict[str, Any]:
    answer = client.get(f"SearchParameter/{identity}/$status")
    return {
        one["name"]: next(value for key, value in one.items() if key != "name")
        for one in answer.json["parameter"]
    }


def ids(client: Client, query: str) -> list[str]:
    answer = client.get(query)
    assert answer.status == 200, answer.json
    return sorted(one["resource"]["id"] for one in answer.json.get("entry", []))


@pytest.mark.usefixtures("clean")
def test_a_stored_parameter_finds_what_was_there_before_and_what_comes(
    client: Client, shared_app: Application
) -> None:
    client.update(patient("eyes-1"))
    stored(client, shared_app)
    client.update(patient("eyes-2"))

    assert ids(client, "Patient?eye-colour=http://colours|blue") == ["eyes-1", "eyes-2"]
    assert ids(client, "Patient?eye-colour=brown") == []
    assert state(client) == {"state": "active"}


@pytest.mark.usefixtures("clean")
def test_a_parameter_that_is_not_indexed_yet_is_refused_with_its_state(
    client: Client, shared_app: Application
) -> None:
    client.update(patient("eyes-1"))
    client.update(parameter())

    answer = client.get("Patient?eye-colour=blue")

    assert answer.status == 400
    assert "not active yet" in answer.json["issue"][0]["diagnostics"]
    assert state(client)["state"] == "stored"
    (waiting,) = client.get("$reindex-status").json["parameter"]
    assert {"name": "name", "valueCode": "Patient"} in waiting["part"]
    shared_app.worker().drain()
    assert ids(client, "Patient?eye-colour=blue") == ["eyes-1"]
    assert "parameter" not in client.get("$reindex-status").json


@pytest.mark.usefixtures("clean")
def test_a_parameter_beside_others_begins_at_no_progress(
    client: Client, shared_app: Application
) -> None:
    client.update(patient("eyes-1"))
    stored(client, shared_app)
    other = {"id": "shade", "code": "shade", "url": "http://example.org/shade"}
    client.update(parameter(**other))
    try:
        assert state(client, "shade") == {"state": "stored", "progress": 0.0}
        answer = client.get("Patient?shade=blue")
        assert "0% of the resources are done" in answer.json["issue"][0]["diagnostics"]
        assert "100%" not in answer.json["issue"][0]["diagnostics"]
        shared_app.worker().drain()
        assert state(client, "shade") == {"state": "active"}
    finally:
        client.delete("SearchParameter/shade")


@pytest.mark.usefixtures("clean")
def test_the_capability_statement_lists_active_parameters(
    client: Client, shared_app: Application
) -> None:
    def listed() -> list[dict[str, Any]]:
        (rest,) = client.get("metadata").json["rest"]
        (found,) = [one for one in rest["resource"] if one["type"] == "Patient"]
        return [one for one in found["searchParam"] if one["name"] == "eye-colour"]

    client.update(patient("eyes-1"))
    client.update(parameter())
    assert listed() == []
    shared_app.worker().drain()

    (one,) = listed()
    assert one["definition"] == parameter()["url"]


@pytest.mark.usefixtures("clean")
def test_a_deleted_parameter_is_gone_at_once(
    client: Client, shared_app: Application
) -> None:
    client.update(patient("eyes-1"))
    stored(client, shared_app)

    client.delete("SearchParameter/eye-colour")

    assert client.get("Patient?eye-colour=blue").status == 400
    shared_app.worker().drain()
    assert client.get("Patient?eye-colour=blue").status == 400


@pytest.mark.usefixtures("clean")
def test_what_was_written_while_a_parameter_was_away_is_found_when_it_is_back(
    client: Client, shared_app: Application
) -> None:
    stored(client, shared_app)
    client.update(parameter(status="draft"))
    client.update(patient("eyes-away"))
    assert state(client)["state"] == "not-active"
    client.update(parameter())

    assert client.get("Patient?eye-colour=blue").status == 400
    shared_app.worker().drain()
    assert ids(client, "Patient?eye-colour=blue") == ["eyes-away"]


@pytest.mark.usefixtures("clean")
def test_an_expression_that_is_no_path_is_evaluated(
    client: Client, shared_app: Application
) -> None:
    client.update(patient("eyes-3", active=True, birthDate="1948-05-17"))
    stored(
        client,
        shared_app,
        type="token",
        expression="Patient.birthDate.exists() and Patient.active",
    )

    assert ids(client, "Patient?eye-colour=true&_id=eyes-3") == ["eyes-3"]
    assert state(client)["state"] == "active"
    assert "each resource" in state(client)["note"]


REFUSED = {
    "code": ({"code": "name"}, "can be searched by 'name' already"),
    "type": ({"type": "special"}, "of type 'special'"),
    "syntax": ({"expression": "Patient.name.where("}, "FHIRPath"),
    "nothing": ({"expression": "Patient.nickname"}, "leads to nothing"),
    "result": ({"type": "date", "expression": "Patient.name"}, "leads to nothing"),
    "base": ({"expression": "Observation.code"}, "begins at Patient"),
    "function": ({"expression": "Patient.name.given.matches('a')"}, "matches()"),
    "moment": ({"expression": "Patient.birthDate > today()"}, "today()"),
    "component": (
        {
            "type": "composite",
            "expression": "Patient",
            "component": [{"definition": "http://nowhere", "expression": "name"}],
        },
        "no search parameter that is known",
    ),
    "reference": (
        {"expression": "Patient.managingOrganization.resolve().name"},
        "resolve() is understood only in",
    ),
    "nested": (
        {"expression": "Patient.link.where(other.resolve().active).type"},
        "resolve() is understood only in",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_parameter_that_could_find_nothing_is_refused_with_the_reason(
    client: Client, name: str
) -> None:
    changed, reason = REFUSED[name]

    answer = client.update(parameter(**changed))

    assert answer.status == 422, answer.json
    assert reason in " ".join(one["diagnostics"] for one in answer.json["issue"])


#: Names that some layer of the server, or FHIR, has a meaning for.
TAKEN = [*RESULTS, *SPECIALS, *FORMS, *VIEW_PARAMETERS, EXPLAIN, CURSOR, POSTED]
TAKEN += ["_type", "_query", "_offset", "_since", "_at", "_anything"]


@pytest.mark.parametrize("code", sorted({*TAKEN}))
def test_a_parameter_cannot_take_a_name_of_the_server(
    client: Client, code: str
) -> None:
    answer = client.update(parameter(code=code))

    assert answer.status == 422, answer.json
    issue = answer.json["issue"][0]
    assert issue["expression"] == ["SearchParameter.code"]
    assert "are taken" in issue["diagnostics"]


def test_all_problems_are_told_together(client: Client) -> None:
    answer = client.update(parameter(code="_count", type="special", expression="("))

    assert answer.status == 422
    places = {one["expression"][0] for one in answer.json["issue"]}
    assert places == {
        "SearchParameter.code",
        "SearchParameter.type",
        "SearchParameter.expression",
    }


@pytest.mark.parametrize(
    ("second", "reason"),
    [("given.first()", "only paths"), ("nickname", "leads to nothing")],
)
def test_what_is_wrong_with_a_component_is_told_at_the_component(
    client: Client, second: str, reason: str
) -> None:
    definition = "http://hl7.org/fhir/SearchParameter/individual-given"
    component = [
        {"definition": definition, "expression": one} for one in ("family", second)
    ]

    answer = client.update(
        parameter(type="composite", expression="Patient.name", component=component)
    )

    assert answer.status == 422, answer.json
    (issue,) = answer.json["issue"]
    assert issue["expression"] == ["SearchParameter.component[1].expression"]
    assert reason in issue["diagnostics"]


@pytest.mark.usefixtures("clean")
def test_a_draft_is_kept_and_changes_nothing(client: Client) -> None:
    answer = client.update(parameter(status="draft", expression="Patient.nickname"))

    assert answer.status in (200, 201)
    assert state(client)["state"] == "not-active"


@pytest.mark.usefixtures("clean")
def test_a_transaction_may_bring_parameters_and_resources(
    client: Client, shared_app: Application
) -> None:
    entries = [parameter(), patient("eyes-4")]
    answer = client.post(
        "",
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {
                    "resource": one,
                    "request": {
                        "method": "PUT",
                        "url": f"{one['resourceType']}/{one['id']}",
                    },
                }
                for one in entries
            ],
        },
    )
    assert answer.status == 200, answer.json
    shared_app.worker().drain()

    assert ids(client, "Patient?eye-colour=blue") == ["eyes-4"]


def test_reindex_tells_where_a_type_is_said(client: Client) -> None:
    answer = client.post("$reindex?type=Patient", {"resourceType": "Parameters"})

    assert answer.status == 400
    assert "[type]/$reindex" in answer.json["issue"][0]["diagnostics"]


def test_reindex_tells_where_to_look(client: Client, shared_app: Application) -> None:
    for path in ("$reindex", "Patient/$reindex"):
        answer = client.post(path, {"resourceType": "Parameters"})

        assert answer.status == 200, answer.json
        told = {one["name"]: one for one in answer.json["parameter"]}
        assert told["status"]["valueUri"].endswith("/$reindex-status")
        shared_app.worker().drain()
    assert "parameter" not in client.get("$reindex-status").json
