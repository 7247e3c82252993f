"""Every door of every service, tried by who has nothing, or everything but the right type."""

import pytest

from fyr.core.declarations.services import ALL_TYPE_INTERACTIONS
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.plugins.access_control.decisions.table import read_table

TABLE = read_table()
#: interaction -> method, path, and whether it brings a resource
DOORS = {
    "read": ("GET", "{}/1"),
    "vread": ("GET", "{}/1/_history/1"),
    "update": ("PUT", "{}/1"),
    "patch": ("PATCH", "{}/1"),
    "delete": ("DELETE", "{}/1"),
    "history-instance": ("GET", "{}/1/_history"),
    "history-type": ("GET", "{}/_history"),
    "create": ("POST", "{}"),
    "search-type": ("GET", "{}"),
}
WHOLE = ("", "_history", "?_type=Patient", "Patient/1/*", "Patient/1/Observation")
#: Answers that tell nothing of what is kept.
NOT_HERE = (404, 405)


def knock(client, method, path, kind):
    body = {"resourceType": kind, "id": "1"} if method in ("PUT", "POST") else None
    if method == "PATCH":
        return client.patch(path, b"[]", "application/json-patch+json")
    return client.request(method, path, body=body)


def test_the_doors_are_all_there_are() -> None:
    assert DOORS.keys() == ALL_TYPE_INTERACTIONS


@pytest.mark.parametrize("user_type", ["PRACTITIONER", "OTHER"])
def test_the_service_that_has_everything_opens_to_systems_only(
    guarded, kit, user_type
) -> None:
    everything = " ".join(f"{kind}.*" for kind in RESOURCE_TYPES)
    contexts = ("Patient/1", "CareTeam/a", "Organization/1", "EpisodeOfCare/1")
    principal = kit.who(user_type, "Patient/1", *contexts, may=everything)
    client = guarded.at("careplan", principal)

    for kind in sorted(RESOURCE_TYPES):
        for method, path in DOORS.values():
            answer = knock(client, method, f"/fhir/{path.format(kind)}", kind)
            assert answer.status == 403, (method, path, kind)
    for path in WHOLE:
        assert client.get(f"/fhir/{path}").status == 403
    sent = {"resourceType": "Bundle", "type": "batch"}
    assert client.request("POST", "/fhir", body=sent).status == 403


def test_a_system_without_privileges_opens_what_is_open_to_all(guarded, kit) -> None:
    system = kit.who("SYSTEM")
    opened = set()
    for service in guarded.built.services:
        client = guarded.at(service.name, system)
        for kind in service.types:
            for interaction, (method, path) in DOORS.items():
                way = f"/{service.path}/{path.format(kind)}"
                answer = knock(client, method, way, kind)
                if answer.status not in (403, *NOT_HERE):
                    opened.add((service.name, kind, interaction))

    free = {
        (cell.key.service, cell.key.resource_type, cell.key.interaction)
        for cell in TABLE
        if not cell.privileges and cell.key.interaction in DOORS
    }
    assert {one for one in opened if one[1] != "OperationDefinition"} <= free
    assert ("organization", "Organization", "read") in opened


def test_somebody_unknown_opens_nothing_but_the_statement(guarded) -> None:
    for service in guarded.built.services:
        client = guarded.at(service.name)
        for kind in service.types:
            for method, path in DOORS.values():
                way = f"/{service.path}/{path.format(kind)}"
                assert knock(client, method, way, kind).status == 401
        assert client.get(f"/{service.path}/metadata").status == 200


def test_a_system_searches_only_what_its_privileges_name(guarded, kit) -> None:
    def status(query, may):
        system = kit.who("SYSTEM", may=may)
        return guarded.at("careplan", system).get(f"/fhir/{query}").status

    name = "Observation?subject:Patient.name=x"
    assert status(name, "Observation.search") == 403
    assert status(name, "Observation.search Patient.search") == 200
    included = "Observation?_id=1&_include=Observation:subject:Patient"
    assert status(included, "Observation.search") == 403
    assert status(included, "Observation.search Patient.read") == 200
    both = "?_type=Observation,Patient&_id=1"
    assert status(both, "FHIR.search-system Observation.search") == 403
    more = "FHIR.search-system Observation.search Patient.search"
    assert status(both, more) == 200
    assert status("Patient?_has:Observation:subject:code=x", "Patient.search") == 403
    assert status("Observation?_explain=true", "Observation.search") == 403


@pytest.mark.parametrize(
    ("service", "method", "path", "status"),
    [
        ("patient", "POST", "Patient", 405),
        ("patient", "DELETE", "Patient/1", 405),
        ("careplan", "GET", "Patient/1", 404),
        ("careplan", "GET", "Nonsense/1", 404),
        ("careplan", "GET", ".well-known/smart-configuration", 404),
    ],
)
def test_what_a_service_does_not_have_is_no_question_of_rights(
    guarded, kit, service, method, path, status
) -> None:
    """It stands in the CapabilityStatement, which is for everybody."""
    for caller in (
        kit.who("SYSTEM", may="Patient.*"),
        kit.citizen(1, may="Patient.read"),
    ):
        answer = guarded.at(service, caller).request(method, path, body=b"{}")

        assert answer.status == status
