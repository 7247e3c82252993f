"""The CapabilityStatement of a service, made from what is really registered.

https://hl7.org/fhir/R4/capabilitystatement.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fyr.core.clock import instant, to_millis
from fyr.core.declarations.services import Service, TypeRules
from fyr.core.model.patch import MEDIA_TYPES
from fyr.core.version import __version__

if TYPE_CHECKING:
    from datetime import datetime

    from fyr.core.declarations.operations import Operation, Operations
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


def offered(
    operations: Iterable[Operation], service: Service, resource_type: str | None = None
) -> list[Operation]:
    """Choose the operations that a service offers, at system level or on a type."""
    return [
        one for one in operations if service.offers_operation(one.name, resource_type)
    ]


def offers_somewhere(operation: Operation, service: Service) -> bool:
    """Whether a service offers an operation at any of its levels."""
    if operation.serves("system", None) and service.offers_operation(
        operation.name, None
    ):
        return True
    return any(
        service.offers_operation(operation.name, kind)
        for kind in service.types
        if operation.serves("type", kind) or operation.serves("instance", kind)
    )


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
    known = _known(service, search)
    links = _links(known)
    rest: dict[str, Any] = {
        "mode": "server",
        "security": {"cors": True},
        "resource": [
            _resource(name, rules, search is not None)
            | _searched(name, rules, known[name], links)
            | called
            for name, rules in sorted(service.types.items())
            if (called := _called(name, service, operations, base_url))
            or rules.interactions
        ],
        "interaction": [
            {"code": code}
            for code in _SYSTEM_INTERACTIONS
            if code in service.system_interactions
        ],
        "operation": _operations(offered(operations.at("system"), service), base_url),
        "compartment": _compartments(service, search),
    }
    return {key: value for key, value in rest.items() if value}


def _resource(name: str, rules: TypeRules, searched: bool) -> dict[str, Any]:
    """Tell what is offered for a type, and what of it by criteria.

    :param searched: whether there is a search engine, which criteria need.
    """
    offers = rules.interactions
    by_criteria = rules.conditional and searched
    described = {
        "type": name,
        "profile": rules.profile or f"http://hl7.org/fhir/StructureDefinition/{name}",
        "supportedProfile": list(rules.supported_profiles),
        "interaction": [{"code": one} for one in _TYPE_INTERACTIONS if one in offers],
        "versioning": "versioned-update",
        "readHistory": "vread" in offers,
        "updateCreate": rules.update_create and "update" in offers,
        "conditionalCreate": by_criteria and "create" in offers,
        "conditionalRead": "full-support" if "read" in offers else "not-supported",
        "conditionalUpdate": by_criteria and "update" in offers,
        "conditionalDelete": (
            rules.conditional_delete
            if by_criteria and "delete" in offers and rules.conditional_delete
            else "not-supported"
        ),
        "referencePolicy": ["literal", "logical", "local"],
    }
    return {key: value for key, value in described.items() if value != []}


def _searched(
    name: str,
    rules: TypeRules,
    parameters: Sequence[SearchParameter],
    links: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """Tell how a type is searched, and what may come with what is found."""
    if "search-type" not in rules.interactions:
        return {}
    own = [f"{name}:{one.name}" for one in parameters if one.targets]
    given = rules.includes
    described: dict[str, Any] = {
        "searchInclude": own if given is None else _of(["*", *own], given),
        "searchRevInclude": _of(links.get(name, ()), rules.revincludes),
        "searchParam": [_parameter(one) for one in parameters],
    }
    return {key: value for key, value in described.items() if value}


def _of(names: Iterable[str], wanted: frozenset[str] | None) -> list[str]:
    return [one for one in names if wanted is None or one in wanted]


def _called(
    name: str, service: Service, operations: Operations, base_url: str
) -> dict[str, Any]:
    """Tell the operations of a type and its instances."""
    named = {
        one.name: one
        for level in ("type", "instance")
        for one in offered(operations.at(level, name), service, name)
    }
    if not named:
        return {}
    return {"operation": _operations([named[one] for one in sorted(named)], base_url)}


def _compartments(service: Service, search: SearchEngine | None) -> list[str]:
    """Tell the compartments of the types that a service has."""
    if search is None or not service.compartments:
        return []
    known = search.compartments()
    return [known[kind].url for kind in sorted(known) if kind in service.types]


def _known(
    service: Service, search: SearchEngine | None
) -> dict[str, list[SearchParameter]]:
    """Tell the search parameters that a service offers, by type and in order."""
    known: dict[str, list[SearchParameter]] = {name: [] for name in service.types}
    if search is None:
        return known
    for name, rules in service.types.items():
        wanted = rules.search_parameters
        known[name] = [
            one
            for one in sorted(search.parameters(name), key=lambda one: one.name)
            if wanted is None or one.name in wanted
        ]
    return known


def _links(known: Mapping[str, Sequence[SearchParameter]]) -> dict[str, list[str]]:
    """Tell by which parameters of which types each type is referred to."""
    links: dict[str, list[str]] = {}
    for kind in sorted(known):
        for one in known[kind]:
            for target in one.targets:
                links.setdefault(target, []).append(f"{kind}:{one.name}")
    return links


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
