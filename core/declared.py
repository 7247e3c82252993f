"""Services that plugins declare as data, a TOML file each.

A list of names is a text with blanks between them. ``plugins/clinical/services/`` has
examples; what each key means is said at :class:`~fyr.core.services.TypeRules` and
:class:`~fyr.core.services.Service`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fyr.core.services import Service, TransactionRules, TypeRules

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

#: Keys of a type that hold names.
_NAMES = frozenset(
    "interactions search_parameters includes revincludes operations".split()
)


def services_in(folder: Traversable) -> Iterator[Service]:
    """Read the services of a folder, by the names of its files.

    Their references are absolute, and their ids given by the server.

    :raises TypeError: a key that no service has.
    """
    for name, declared in tables_in(folder):
        yield _service(name, declared)


def tables_in(folder: Traversable) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read the TOML files of a folder, in the order of their names.

    :return: the name of each without its ending, and what is in it.
    """
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".toml"):
            text = file.read_text(encoding="utf-8")
            yield file.name.removesuffix(".toml"), tomllib.loads(text)


def _service(name: str, declared: Mapping[str, Any]) -> Service:
    given = dict(declared)
    transaction = given.pop("transaction", None)
    return Service(
        name=name,
        path=f"{name}/fhir",
        types={kind: _rules(one) for kind, one in given.pop("types").items()},
        system_interactions=_names(given.pop("system_interactions", "")),
        operations=_names(given.pop("operations", "")),
        transaction=_in_transactions(transaction) if transaction else None,
        absolute_references=True,
        **given,
    )


def _rules(declared: Mapping[str, Any]) -> TypeRules:
    given: dict[str, Any] = {
        "search_parameters": frozenset(),
        "operations": frozenset(),
        "update_create": False,
        "conditional_delete": "",
    }
    for key, value in declared.items():
        if key in _NAMES:
            given[key] = _names(value)
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


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())
