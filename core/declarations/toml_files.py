"""Services and search parameters that plugins declare as data, in TOML files.

A list of names is a text with blanks between them. ``plugins/clinical/services/`` and
``search_parameters/`` have examples; what each key of a service means is said at
:class:`~fyr.core.declarations.services.TypeRules` and
:class:`~fyr.core.declarations.services.Service`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fyr.core.declarations.services import Service, TransactionRules, TypeRules

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from fyr.core.errors.catalogue import ErrorCode
    from fyr.core.model.resource import Resource

#: Keys of a type that hold names.
_NAMES = frozenset(
    "interactions search_parameters includes revincludes operations search_needs".split()
)


def services_in(
    folder: Traversable, codes: Mapping[str, ErrorCode] | None = None
) -> Iterator[Service]:
    """Read the services of a folder, by the names of its files.

    Their references are absolute, their ids given by the server, and no compartments are
    searched.

    :param codes: the catalogue of who declares them, for what they refuse.
    :raises TypeError: a key that no service has.
    :raises KeyError: a code that is not in the catalogue.
    """
    for name, declared in tables_in(folder):
        yield _service(name, declared, codes or {})


def search_parameters_in(folder: Traversable) -> Iterator[Resource]:
    """Read the search parameters of a folder, as ``SearchParameter`` resources.

    The ``expression`` of one begins at a resource of each of its ``types``, and may be a
    list; ``~`` in it stands for the ``prefix`` of the file. One without a ``url`` gets a
    URN. The components of a composite name parameters of the same types.

    :raises KeyError: one lacks something.
    """
    for _, declared in tables_in(folder):
        for one in declared["parameters"]:
            yield _search_parameter(one, declared.get("prefix", ""))


def tables_in(folder: Traversable) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read the TOML files of a folder, in the order of their names.

    :return: the name of each without its ending, and what is in it.
    """
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".toml"):
            text = file.read_text(encoding="utf-8")
            yield file.name.removesuffix(".toml"), tomllib.loads(text)


def _service(
    name: str, declared: Mapping[str, Any], codes: Mapping[str, ErrorCode]
) -> Service:
    given = dict(declared)
    transaction = given.pop("transaction", None)
    return Service(
        name=name,
        path=f"{name}/fhir",
        types={kind: _rules(one, codes) for kind, one in given.pop("types").items()},
        system_interactions=_names(given.pop("system_interactions", "")),
        operations=_names(given.pop("operations", "")),
        transaction=_in_transactions(transaction) if transaction else None,
        absolute_references=True,
        compartments=False,
        **given,
    )


def _rules(declared: Mapping[str, Any], codes: Mapping[str, ErrorCode]) -> TypeRules:
    given: dict[str, Any] = {
        "search_parameters": frozenset(),
        "operations": frozenset(),
        "update_create": False,
        "conditional_delete": "",
    }
    for key, value in declared.items():
        if key in _NAMES:
            given[key] = _names(value)
        elif key == "search_refused":
            given[key] = codes[value]
        else:
            given[key] = tuple(value) if isinstance(value, list) else value
    return TypeRules(**given)


def _in_transactions(declared: Mapping[str, Any]) -> TransactionRules:
    by_type = declared["interactions"]
    return TransactionRules(
        **{
            **declared,
            "interactions": {kind: _names(one) for kind, one in by_type.items()},
        }
    )


def _search_parameter(declared: Mapping[str, Any], prefix: str) -> Resource:
    types, given = declared["types"].split(), declared["expression"]
    paths = [given] if isinstance(given, str) else given
    parts = [f"{kind}.{path}" for kind in types for path in paths]
    components = [
        {
            "definition": _urn(types, one["code"]),
            "expression": one["expression"].replace("~", prefix),
        }
        for one in declared.get("components", ())
    ]
    made = {
        "resourceType": "SearchParameter",
        "url": declared.get("url") or _urn(types, declared["code"]),
        "name": declared["code"],
        "status": "active",
        "description": declared["description"],
        "code": declared["code"],
        "base": types,
        "type": declared["type"],
        "expression": " | ".join(parts).replace("~", prefix),
        "target": declared.get("targets", "").split(),
        "component": components,
    }
    return {key: value for key, value in made.items() if value}


def _urn(types: list[str], code: str) -> str:
    return f"urn:fyr:SearchParameter:{'-'.join(types)}-{code}"


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())
