"""The page about all services, made from what they declare and what is registered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.declarations.services import Service, TypeRules

_INTERACTIONS = (
    "read vread create update patch delete search-type history-instance history-type"
).split()
_SHORT = {"search-type": "search", "history-instance": "history"}


def services_page(application: Application, specials: Iterable[str]) -> str:
    """Describe each service but the one that has everything.

    :param specials: parameters about no element, which no type declares.
    """
    parts = [
        "\n".join(_service(application, one, frozenset(specials)))
        for one in sorted(application.services, key=lambda one: one.name)
        if one is not application.services.default
    ]
    return "\n".join(parts)


def _service(
    application: Application, service: Service, specials: frozenset[str]
) -> Iterator[str]:
    yield f"## {service.name}\n"
    yield f"`/{service.path}`. {service.documentation}"
    yield from _transaction(service)
    yield "\n| type | interactions | search parameters |\n|---|---|---|"
    for kind, rules in sorted(service.types.items()):
        yield f"| {_name(kind, rules)} | {_offered(rules)} | {_searched(rules)} |"
    yield ""
    yield from _missing(application, service, specials)


def _transaction(service: Service) -> Iterator[str]:
    limits = service.transaction
    if limits is None:
        return
    without = [] if limits.conditional else ["no criteria"]
    without += [] if limits.operations else ["no operations"]
    told = [f"at most {limits.most_entries} entries", *without]
    yield (
        f"\nA transaction has {' and '.join(told)}; in it are offered:"
        "\n\n| type | interactions |\n|---|---|"
    )
    for kind, names in sorted(limits.interactions.items()):
        yield f"| {kind} | {_interactions(names)} |"


def _name(kind: str, rules: TypeRules) -> str:
    profile = rules.profile.rpartition("/")[2]
    only = "only " if rules.only_profiles else ""
    return f"{kind} ({only}{profile})" if profile else kind


def _offered(rules: TypeRules) -> str:
    told = _interactions(rules.interactions) or "-"
    if "delete" in rules.interactions and rules.conditional_delete:
        told += f" (by criteria: {rules.conditional_delete})"
    return told


def _interactions(names: frozenset[str]) -> str:
    return ", ".join(_SHORT.get(one, one) for one in _INTERACTIONS if one in names)


def _searched(rules: TypeRules) -> str:
    if "search-type" not in rules.interactions:
        return "-"
    asked = f"; one of {_listed(rules.search_needs)}" if rules.search_needs else ""
    return _listed(rules.search_parameters or ()) + asked


def _missing(
    application: Application, service: Service, specials: frozenset[str]
) -> Iterator[str]:
    """Tell what a service declares and nothing here does yet."""
    told = []
    if operations := list(_operations(application, service)):
        told.append(f"- operations: {_listed(operations)}")
    for kind, rules in sorted(service.types.items()):
        if parameters := _parameters(application, kind, rules) - specials:
            told.append(f"- search parameters of {kind}: {_listed(parameters)}")
    if told:
        yield "Not there yet:\n"
        yield from told
        yield ""


def _operations(application: Application, service: Service) -> Iterator[str]:
    known = {one.name for one in application.operations.at("system")}
    yield from sorted(f"${one}" for one in (service.operations or set()) - known)
    for kind, rules in sorted(service.types.items()):
        known = {
            one.name
            for level in ("type", "instance")
            for one in application.operations.at(level, kind)
        }
        yield from sorted(
            f"{kind}/${one}" for one in (rules.operations or set()) - known
        )


def _parameters(
    application: Application, kind: str, rules: TypeRules
) -> frozenset[str]:
    """Tell the parameters that are declared and cannot be searched by."""
    if "search-type" not in rules.interactions or application.search is None:
        return frozenset()
    known = {one.name for one in application.search.parameters(kind)}
    return (rules.search_parameters or frozenset()) - known


def _listed(names: Iterable[str]) -> str:
    return " ".join(f"`{one}`" for one in sorted(names))
