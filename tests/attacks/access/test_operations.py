"""Operations are allowed by their names, and open nothing that is not open."""

from dataclasses import replace

import pytest

from fyr.core import Operation, OperationParameter, Plugin, hookimpl
from fyr.core.interactions import Incoming
from fyr.core.model import json
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Client
from fyr.core.testing.clock import FakeClock
from fyr.plugins.clinical import Clinical


def test_validation_of_what_is_stored_is_a_read_of_it(world, kit, decides) -> None:
    nurse = kit.nurse("a", 1, may="Observation.read")
    client = world.at("measurement", nurse)

    theirs = client.get("Observation/2/$validate")

    assert theirs.status == (403 if decides else 200)
    assert client.get("Observation/1/$validate").status == 200
    poor = world.at("measurement", kit.nurse("a", 1))
    assert poor.get("Observation/1/$validate").status == (403 if decides else 200)


def test_validation_of_what_is_sent_is_for_all(guarded, kit) -> None:
    resource = {"resourceType": "Observation"}

    answer = guarded.at("measurement", kit.nurse("a")).post(
        "Observation/$validate", resource
    )

    assert answer.status == 200


class Facades(Clinical):
    """The clinical services, without what their operations do."""

    @hookimpl
    def register_operations(self):
        return ()


class Procedures(Plugin):
    """Operations of the table, done so that only decisions stand in their way."""

    @hookimpl
    def register_operations(self):
        reference = OperationParameter("observation", "id")
        yield Operation(
            "search-measurements",
            careless,
            frozenset({"system"}),
            parameters=(reference,),
        )
        yield Operation(
            "submit-measurement",
            storing,
            frozenset({"system"}),
            affects_state=True,
            parameters=(OperationParameter("measurement", "Observation"),),
        )


def careless(call):
    """Answer what is stored, past all hooks."""
    stored = call.interactions.resources.read("Observation", call.value("observation"))
    entry = {"resource": json.parse(stored.body)}
    return {"resourceType": "Bundle", "type": "collection", "entry": [entry]}


def storing(call):
    """Store what is sent, as the caller, where all can be stored."""
    context = replace(
        call.context,
        service=call.interactions.services.default,
        interaction="create",
        resource_type="Observation",
        operation=None,
        parent=call.context,
    )
    made = call.interactions.create(context, Incoming(call.value("measurement")))
    return made.resource()


@pytest.fixture(scope="module")
def procedures(tmp_path_factory, kit):
    options = {
        "server": {"public_url": kit.root},
        "security": {"mode": "closed"},
        "plugins": {
            "enabled": ["search", "administrative", "facades", "access_control"]
        },
    }
    folder = tmp_path_factory.mktemp("procedures")
    settings = settings_with(options, folder)
    plugins = {"procedures": Procedures, "facades": Facades}
    with application(settings, FakeClock(), plugins) as built:
        system = kit.who("SYSTEM", may=" ".join(f"{one}.update" for one in KINDS))
        client = client_of(built).acting_as(system)
        for n in (1, 2):
            for one in kit.resources(n):
                if one["resourceType"] in KINDS:
                    assert client.update(one).status == 201
        yield built


KINDS = ("EpisodeOfCare", "CarePlan", "ServiceRequest", "Observation")


@pytest.fixture
def call(procedures):
    def called(principal, operation, **parameter):
        client = Client(client_of(procedures).wsgi, "/measurement/fhir")
        sent = {"resourceType": "Parameters", "parameter": [parameter]}
        return client.acting_as(principal).post(f"${operation}", sent)

    return called


def test_what_an_operation_answers_lies_inside(call, kit) -> None:
    nurse = kit.nurse("a", 1, may="$search-measurements")
    name = "search-measurements"

    assert call(nurse, name, name="observation", valueId="1").status == 200
    assert call(nurse, name, name="observation", valueId="2").status == 403


def test_an_operation_writes_by_its_own_privilege_and_inside(
    call, kit, procedures
) -> None:
    nurse = kit.nurse("a", 1, may="$submit-measurement")
    mine, theirs = (
        next(one for one in kit.resources(n) if one["resourceType"] == "Observation")
        for n in (1, 2)
    )

    def submitted(principal, resource):
        return call(
            principal, "submit-measurement", name="measurement", resource=resource
        )

    assert submitted(nurse, mine).status == 200
    assert submitted(nurse, theirs).status == 403
    assert submitted(kit.nurse("a", 1, may="Observation.create"), mine).status == 403
    plain = Client(client_of(procedures).wsgi, "/measurement/fhir").acting_as(nurse)
    assert plain.create(mine).status in (403, 405)
