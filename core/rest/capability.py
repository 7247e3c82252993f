"""The CapabilityStatement of a service, made from what is really registered.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from fyr.core import __version__
from fyr.core.clock import instant, to_millis
from fyr.core.model.patch import MEDIA_TYPES
from fyr.core.services import Service, TypeRules

if TYPE_CHECKING:
    from datetime import datetime

    from fyr.core.operations import Operation, Operations
    from fyr.core.searching import SearchEngine, SearchParameter

FORMATS = ["application/fhir+json", "application/fhir+xml", "json", "xml"]
#: In the order of https://hl7.org/fhir/R4/valueset-type-restful-interaction.html
_TYPE_INTERACTIONS = (
    "read vread update patch delete history-instance history-type create search-type"
).split()
_SYSTEM_INTERACTIONS = "transaction batch search-system history-system".split()


def capability_statement(
    service: Service,
    search: SearchEngine | None,
    operations: Operations,
    *,
    base_url: str,
    started: datetime,
) -> dict[str, Any]:
    """Describe a service as it is served by this process.

    :param started: when this configuration came into force.
    """
    return {
        "resourceType": "CapabilityStatement",
        "url": f"{base_url}/metadata",
        "version": __version__,
        "name": _computable(service.name),
        "title": service.title or service.name,
        "status": "active",
        "date": instant(to_millis(started)),
        "description": service.documentation or f"The service {service.name} of Fyr.",
        "kind": "instance",
        "software": {"name": "Fyr", "version": __version__},
        "implementation": {
            "description": service.title or service.name,
            "url": base_url,
        },
        "fhirVersion": "4.0.1",
        "format": FORMATS,
        "patchFormat": list(MEDIA_TYPES),
        "rest": [_rest(service, search, operations, base_url)],
    }


def offered(operations: Iterable[Operation], service: Service) -> list[Operation]:
    """Choose the operations that a service offers."""
    names = service.operations
    return [one for one in operations if names is None or one.name in names]


def definition_key(operation: Operation) -> str:
    """Name an operation among all: ``greet``, ``Patient-greet``."""
    return "-".join([*sorted(operation.types)[:1], operation.name])


def definition_url(operation: Operation, base_url: str) -> str:
    """Tell the canonical URL of an operation's definition."""
    if operation.definition:
        return operation.definition
    return f"{base_url}/metadata/operations/{definition_key(operation)}"


def _rest(
    service: Service,
    search: SearchEngine | None,
    operations: Operations,
    base_url: str,
) -> dict[str, Any]:
    rest: dict[str, Any] = {
        "mode": "server",
        "security": {"cors": True},
        "resource": [
            _resource(name, rules, service, search, operations, base_url)
            for name, rules in sorted(service.types.items())
        ],
        "interaction": [
            {"code": code}
            for code in _SYSTEM_INTERACTIONS
            if code in service.system_interactions
        ],
        "operation": _operations(offered(operations.at("system"), service), base_url),
    }
    return {key: value for key, value in rest.items() if value}


def _resource(
    name: str,
    rules: TypeRules,
    service: Service,
    search: SearchEngine | None,
    operations: Operations,
    base_url: str,
) -> dict[str, Any]:
    offers = rules.interactions
    named = {
        one.name: one
        for level in ("type", "instance")
        for one in offered(operations.at(level, name), service)
    }
    described: dict[str, Any] = {
        "type": name,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{name}",
        "interaction": [{"code": one} for one in _TYPE_INTERACTIONS if one in offers],
        "versioning": "versioned-update",
        "readHistory": "vread" in offers,
        "updateCreate": rules.update_create and "update" in offers,
        "conditionalCreate": rules.conditional and "create" in offers,
        "conditionalRead": "full-support" if "read" in offers else "not-supported",
        "conditionalUpdate": rules.conditional and "update" in offers,
        "conditionalDelete": (
            "single" if rules.conditional and "delete" in offers else "not-supported"
        ),
        "referencePolicy": ["literal", "logical", "local"],
        "searchParam": _parameters(name, rules, search, "search-type" in offers),
        "operation": _operations([named[one] for one in sorted(named)], base_url),
    }
    return {key: value for key, value in described.items() if value != []}


def _parameters(
    name: str, rules: TypeRules, search: SearchEngine | None, searched: bool
) -> list[dict[str, Any]]:
    if search is None or not searched:
        return []
    wanted = rules.search_parameters
    known: Sequence[SearchParameter] = search.parameters(name)
    return [
        _parameter(one)
        for one in sorted(known, key=lambda one: one.name)
        if wanted is None or one.name in wanted or one.name.startswith("_")
    ]


def _parameter(one: SearchParameter) -> dict[str, Any]:
    described = {
        "name": one.name,
        "definition": one.url,
        "type": one.type,
        "documentation": one.documentation,
    }
    return {key: value for key, value in described.items() if value}


def _operations(chosen: Iterable[Operation], base_url: str) -> list[dict[str, Any]]:
    described = []
    for one in chosen:
        entry = {"name": one.name, "definition": definition_url(one, base_url)}
        if one.documentation:
            entry["documentation"] = one.documentation
        described.append(entry)
    return described


def _computable(name: str) -> str:
    """Make a name that invariant cpb-0 accepts: a capital, then letters and digits."""
    words = "".join(char if char.isalnum() else " " for char in name).split()
    text = "".join(word[:1].upper() + word[1:] for word in words)
    return text if text[:1].isalpha() else f"Service{text}"
