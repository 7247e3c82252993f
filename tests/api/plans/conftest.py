"""Authors of two organizations, at the services plan and questionnaire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import pytest

from fyr.core.app import Application
from fyr.core.context import Principal
from fyr.core.testing.applications import application, client_of, settings_with
from fyr.core.testing.client import Answer, Client
from fyr.core.testing.clock import FakeClock

from ..guide import SATURATION, ext, to

HOME = {"Questionnaire": "questionnaire", "Basic": "questionnaire"}
MEETING = {"system": "http://snomed.info/sct", "code": "229057006"}
KINDS = ("PlanDefinition", "ActivityDefinition", "Questionnaire")
_IDS = count(1)


def concept(code: str) -> dict[str, Any]:
    return {"coding": [{"code": code}]}


def role(organization: int, name: str) -> dict[str, Any]:
    parts = [
        {"url": "reference", "valueReference": to(f"Organization/{organization}")},
        {"url": "role", "valueCodeableConcept": concept(name)},
    ]
    return ext("modifier-role", extension=parts)


APPROVAL = ext("sharingApprovalPolicy", valueCodeableConcept=concept("manual"))


def url(reference: str) -> str:
    home = HOME.get(reference.partition("/")[0], "plan")
    return f"http://localhost/{home}/fhir/{reference}"


class Authors:
    """An application, and those who write definitions in it."""

    def __init__(self, built: Application) -> None:
        self.built = built
        self.all = client_of(built)

    def at(self, kind: str, who: Principal | None = None) -> Client:
        """Give a client of the service of a type."""
        service = HOME.get(kind, "plan")
        client = Client(self.all.wsgi, f"/{service}/fhir")
        return client.acting_as(who or author(1))

    def create(
        self, resource: Mapping[str, Any], who: Principal | None = None
    ) -> Answer:
        return self.at(str(resource["resourceType"]), who).create(resource)

    def made(self, resource: Mapping[str, Any], who: Principal | None = None) -> Any:
        answer = self.create(resource, who)
        assert answer.status == 201, answer.body
        return answer.json

    def update(
        self, resource: Mapping[str, Any], who: Principal | None = None
    ) -> Answer:
        return self.at(str(resource["resourceType"]), who).update(resource)

    def updated(self, resource: Mapping[str, Any], who: Principal | None = None) -> Any:
        answer = self.update(resource, who)
        assert answer.status == 200, answer.body
        return answer.json

    def published(self, resource: Mapping[str, Any]) -> Any:
        """Make a definition and publish it."""
        return self.updated({**self.made(resource), "status": "active"})

    def load(self, resource: Mapping[str, Any]) -> Any:
        """Store as the deployment's own data, whatever its state."""
        given = {"id": f"loaded-{next(_IDS)}", **resource}
        system = Principal(
            "SYSTEM", "loader", frozenset({f"{kind}.*" for kind in _ALL})
        )
        answer = self.all.acting_as(system).update(given)
        assert answer.status in (200, 201), answer.body
        return answer.json


_ALL = (*KINDS, "Basic", "Library", "DocumentReference", "Organization")
_DOING = "read search create update delete".split()


def author(organization: int, *less: str) -> Principal:
    """Make who writes definitions for an organization, without some privileges."""
    may = {f"{kind}.{word}" for kind in _ALL for word in _DOING}
    may |= {"ActionGuidance.write", "View.write", "ActionGuidance.read", "View.read"}
    return Principal(
        "PRACTITIONER",
        f"http://localhost/organization/fhir/Practitioner/{organization}",
        frozenset(may - set(less)),
        {
            "organization": f"http://localhost/organization/fhir/Organization/{organization}"
        },
    )


def system() -> Principal:
    return Principal("SYSTEM", "system", author(1).privileges)


def definition(kind: str, **more: Any) -> dict[str, Any]:
    """Make a definition that may be a draft, owned by the first organization."""
    made = {
        "resourceType": kind,
        "version": "1.0",
        "status": "draft",
        "extension": [role(1, "owner")],
        **more,
    }
    return made


def activity(**more: Any) -> dict[str, Any]:
    return definition("ActivityDefinition", **more)


def plan(*led: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Make a plan whose actions lead to stored definitions."""
    actions = [
        {"definitionCanonical": url(f"{one['resourceType']}/{one['id']}")}
        for one in led
    ]
    found = definition("PlanDefinition", **more)
    return {**found, "action": actions} if actions else found


def told(answer: Answer) -> list[str]:
    """Name the rows of the catalogue that an answer tells."""
    return [
        coding["code"]
        for issue in answer.json["issue"]
        for coding in issue.get("details", {}).get("coding", ())
    ]


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authors]:
    """A server in closed mode, that names the rows of the catalogue."""
    options = {
        "security": {"mode": "closed"},
        "fhir": {"error_coding": "urn:codes"},
        "plugins": {
            "enabled": ["search", "administrative", "clinical", "access_control"]
        },
    }
    settings = settings_with(options, tmp_path_factory.mktemp("plans"))
    with application(settings, FakeClock()) as built:
        yield Authors(built)


class Kit:
    """Functions of this module, for tests that cannot import it."""

    to, ext, concept, role, url = map(staticmethod, (to, ext, concept, role, url))
    author, system, told = map(staticmethod, (author, system, told))
    definition, activity, plan = map(staticmethod, (definition, activity, plan))


__all__ = ["KINDS", "MEETING", "SATURATION", "Authors", "Kit"]
