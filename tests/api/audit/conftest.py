"""A server that tells its audit log, and a nurse with two patients."""

import pytest

from fyr.core import Forbidden, Operation, Plugin, RequestContext, hookimpl
from fyr.core.errors import TooManyRequests
from fyr.core.interactions import Incoming

from .words import NURSE, Log


def note(call):
    """Read the subject of the call and write a Basic about it."""
    patient = call.subject()
    context = RequestContext(
        call.context.service, "create", "Basic", parent=call.context
    )
    subject = {"reference": f"Patient/{patient['id']}"}
    basic = {"resourceType": "Basic", "code": {"text": "x"}, "subject": subject}
    return call.interactions.create(context, Incoming(basic)).resource()


class Closed(Plugin):
    """Shows nobody a Condition, has enough of Groups, and offers an operation."""

    @hookimpl
    def authorize(self, context):
        if context.resource_type == "Group":
            raise TooManyRequests("later")
        if context.resource_type == "Condition":
            raise Forbidden("not yours")

    @hookimpl
    def register_operations(self):
        yield Operation("note", note, frozenset({"instance"}), affects_state=True)


@pytest.fixture
def fyr_plugins():
    return {"closed": Closed}


@pytest.fixture
def fyr_options():
    return {"plugins": {"enabled": ["search", "audit"]}}


@pytest.fixture
def log(fyr_app):
    return Log(fyr_app)


@pytest.fixture
def nurse(fyr_client, log):
    """A nurse's client, with two patients who have a measurement each."""
    for number, name in enumerate(["ada", "bo"]):
        identifier = {
            "system": "urn:oid:1.2.208.176.1.2",
            "value": f"260320000{number}",
        }
        fyr_client.update(
            {"resourceType": "Patient", "id": name, "identifier": [identifier]}
        )
        fyr_client.update(
            {
                "resourceType": "Observation",
                "id": f"of-{name}",
                "status": "final",
                "code": {"text": "pulse"},
                "subject": {"reference": f"Patient/{name}"},
            }
        )
    assert log.all() == []
    return fyr_client.acting_as(NURSE)
