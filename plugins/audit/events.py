"""AuditEvents made of facts: https://hl7.org/fhir/R4/auditevent.html.

What stands where is the Danish profile's: https://ehealth.sundhed.dk/fhir/
StructureDefinition-ehealth-auditevent.html. One for each patient whose data was touched,
alike but for their entities; the same each time that they are made of the same facts.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from fyr.core import Change, Resource
from fyr.plugins.audit.facts import STRANGER, Facts
from fyr.plugins.audit.masking import masked, masked_all
from fyr.plugins.audit.patients import Patients

_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
#: https://hl7.org/fhir/R4/codesystem-dicom-dcim.html
_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_ORGANIZATION = (
    "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-responsibleOrganization"
)
_INTERNAL = {
    "system": "http://ehealth.sundhed.dk/fhir/PurposeOfUse",
    "code": "INTERNAL_AUDIT_ONLY",
}
#: Interaction -> https://hl7.org/fhir/R4/valueset-audit-event-action.html
_ACTIONS = {
    "create": "C",
    "update": "U",
    "patch": "U",
    "delete": "D",
    "operation": "E",
    "batch": "E",
    "transaction": "E",
}
#: Method of a plugin's route -> the same; what a POST does is not known
_METHODS = {"POST": "E", "PUT": "U", "PATCH": "U", "DELETE": "D"}
#: What was done -> code and display of the lifecycle
_LIFECYCLES = {
    "create": ("1", "Creation"),
    "update": ("3", "Amendment"),
    "read": ("6", "Access"),
    "delete": ("14", "Logical deletion"),
}
#: User type -> type of the resource that a user is
_USERS = {"PRACTITIONER": "Practitioner", "PATIENT": "Patient"}

#: Service, resource type, base URL of the request -> base URL of references to the type
Bases = Callable[[str, str, str], str]


@dataclass(frozen=True, slots=True)
class AuditEvents:
    """Makes the AuditEvents of a row of the outbox."""

    patients: Patients
    bases: Bases
    source: str
    internal: frozenset[str]

    def of(self, change: Change) -> list[Resource]:
        """Make them; at least one."""
        facts = change.payload
        if "attempts" in facts:
            return [self._attempts(facts, _id(change, 0))]
        frame = self._frame({"at": change.moment.isoformat(), **facts})
        always = masked_all([*self._trace(facts), *self._subject(facts)])
        always += self._search(facts)
        made = []
        for number, entities in enumerate(self._by_patient(facts)):
            event = {
                "resourceType": "AuditEvent",
                "id": _id(change, number),
                **frame,
            }
            if told := [*always, *masked_all(entities)]:
                event["entity"] = told
            made.append(event)
        return made

    def _attempts(self, facts: Facts, identity: str) -> Resource:
        """Tell how often somebody at an address has not told who they are."""
        details = {
            "network" if "/" in facts["from"] else "address": facts["from"],
            "attempts": str(facts["attempts"]),
            "with a token": str(facts["tokens"]),
        }
        what = _entity("20", what={}, display="Job")
        told = [{"type": name, "valueString": text} for name, text in details.items()]
        return {
            "resourceType": "AuditEvent",
            "id": identity,
            "type": _coding(_DICOM, "110114", "User Authentication"),
            "subtype": [_coding(_DICOM, "110122", "Login")],
            "action": "E",
            "period": {"start": facts["at"], "end": facts["until"]},
            "recorded": facts["until"],
            "outcome": "4",
            "outcomeDesc": "requests without a token that holds",
            "agent": [self._agent({**facts, **STRANGER})],
            "source": self._source(facts),
            "entity": [{**what, "description": "attempts", "detail": told}],
        }

    def _frame(self, facts: Facts) -> dict[str, Any]:
        """Tell what all AuditEvents of a request have in common."""
        status = facts["status"]
        subtype = facts.get("operation") or facts["interaction"]
        frame = {
            "type": {
                "system": f"{_TERMINOLOGY}/audit-event-type",
                "code": "rest",
                "display": "RESTful Operation",
            },
            "subtype": [
                _coding("http://hl7.org/fhir/restful-interaction", masked(subtype))
            ],
            "action": _action(facts),
            "recorded": facts["at"],
            "outcome": "0" if status < 400 else "4" if status < 500 else "8",
        }
        route = facts.get("operation") if facts["interaction"] == "route" else None
        if about := facts.get("type") or route:
            # Of an entry of a Bundle it may be whatever was sent.
            frame["outcomeDesc"] = masked(about)
        if self.internal & {facts.get("type"), facts.get("operation")}:
            frame["purposeOfEvent"] = [{"coding": [_INTERNAL]}]
        frame["agent"] = [self._agent(facts)]
        frame["source"] = self._source(facts)
        return frame

    def _source(self, facts: Facts) -> dict[str, Any]:
        return {
            "observer": {"identifier": self._identifier(facts["base"])},
            "type": [_coding(f"{_TERMINOLOGY}/security-source-type", "4")],
        }

    def _agent(self, facts: Facts) -> dict[str, Any]:
        identifier: dict[str, Any] = self._identifier(facts["user"])
        if facts.get("issuer"):
            # Another one may know somebody else by the same id.
            identifier["assigner"] = {"display": facts["issuer"]}
        who: dict[str, Any] = {"identifier": identifier}
        if facts["user_type"] in _USERS:
            who = {"type": _USERS[facts["user_type"]], **who}
        agent: dict[str, Any] = {"who": who, "requestor": True}
        if facts.get("remote"):
            agent["network"] = {"address": facts["remote"], "type": "2"}
        if facts.get("organization"):
            reference = {"reference": facts["organization"]}
            agent["extension"] = [{"url": _ORGANIZATION, "valueReference": reference}]
        return masked_all(agent)  # type: ignore[no-any-return]

    def _by_patient(self, facts: Facts) -> Iterable[list[dict[str, Any]]]:
        """Part what was touched by patient; what is nobody's stands on its own."""
        parts: dict[str, list[dict[str, Any]]] = {}
        for how, kind, identity, version in facts["touched"]:
            entity = self._resource(facts, kind, f"{identity}/_history/{version}", how)
            found = self.patients.of(how, kind, identity, version)
            for patient in found or [""]:
                parts.setdefault(patient, []).append(entity)
        if not facts["touched"] and facts.get("type") and facts.get("id"):
            asked = self._resource(facts, facts["type"], facts["id"])
            for patient in self.patients.now(facts["type"], facts["id"]) or [""]:
                parts[patient] = [asked]
        for patient in facts.get("patients", ()):
            parts.setdefault(patient, [])
        for patient, entities in parts.items():
            yield [*self._patient(facts, patient), *entities]
        if not parts:
            yield []

    def _patient(self, facts: Facts, reference: str) -> list[dict[str, Any]]:
        if not reference:
            return []
        if "://" not in reference:
            base = self.bases(facts["service"], "Patient", facts["base"])
            reference = f"{base}/{reference}"
        return [_entity("1", what={"reference": reference})]

    def _resource(
        self, facts: Facts, kind: str, local: str, how: str = ""
    ) -> dict[str, Any]:
        base = self.bases(facts["service"], kind, facts["base"])
        entity = _entity("4", what={"reference": f"{base}/{kind}/{local}"})
        if how:
            code, display = _LIFECYCLES[how]
            system = "http://hl7.org/fhir/dicom-audit-lifecycle"
            entity["lifecycle"] = _coding(system, code, display)
        return entity

    def _trace(self, facts: Facts) -> Iterable[dict[str, Any]]:
        if not facts["trace"]:
            return
        data = _coding(f"{_TERMINOLOGY}/security-source-type", "2", "Data Interface")
        what = {"identifier": self._identifier(facts["trace"])}
        yield {**_entity("21", what=what, display="Job Stream"), "type": data}

    def _subject(self, facts: Facts) -> Iterable[dict[str, Any]]:
        """Tell what an operation was about that is no resource, by its id."""
        if facts.get("id") and not facts.get("type"):
            yield _entity("4", what={"identifier": self._identifier(facts["id"])})

    def _search(self, facts: Facts) -> Iterable[dict[str, Any]]:
        """Tell the query, and the Bundle: it has no id of its own but the request's."""
        if "query" not in facts:
            return
        parameters: dict[str, Any] = {}
        for name, value in facts["query"]:
            parameters.setdefault(name, []).append(value)
        short = {
            name: values[0] if len(values) == 1 else values
            for name, values in parameters.items()
        }
        text = json.dumps(short, ensure_ascii=False)
        server = _coding(
            f"{_TERMINOLOGY}/security-source-type", "4", "Application Server"
        )
        entity = {
            **_entity("24", what={}, display="Query"),
            "type": server,
            "description": "search",
            "query": b64encode(text.encode()).decode(),
        }
        if facts["trace"]:
            entity["what"] = {"identifier": {"value": masked(facts["trace"])}}
        yield entity

    def _identifier(self, value: str) -> dict[str, str]:
        return {"system": self.source, "value": value}


def _id(change: Change, number: int) -> str:
    name = f"fyr-audit:{change.at}:{change.position}:{number}"
    return str(uuid5(NAMESPACE_URL, name))


def _action(facts: Facts) -> str:
    """Tell what was done; of a plugin's route only its method is known."""
    if facts["interaction"] == "route":
        return _METHODS.get(facts.get("method", ""), "R")
    return _ACTIONS.get(facts["interaction"], "R")


def _coding(system: str, code: str, display: str = "") -> dict[str, str]:
    coding = {"system": system, "code": code}
    return {**coding, "display": display} if display else coding


def _entity(role: str, *, what: Mapping[str, Any], display: str = "") -> dict[str, Any]:
    entity: dict[str, Any] = {"what": dict(what)} if what else {}
    return {
        **entity,
        "role": _coding(f"{_TERMINOLOGY}/object-role", role, display),
    }
