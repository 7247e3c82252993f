"""The decision table: who may do what, read from the rules and turned into look-ups.

``rules/`` has a file for each service; docs/decisions/access-control.md says how it is
read. What stands in no row is refused.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

#: The file about what all services have, and its table about all types.
ANYWHERE = "anywhere"
_ANY = "any"
#: Key of what a service has beside its types.
SYSTEM_LEVEL = "system"
USER_TYPES = ("SYSTEM", "PRACTITIONER", "PATIENT", "SSL")
SOURCES = ("found", "inferred", "proposed")
_KEYS = frozenset("on by needs if source reaches shows writes".split())
#: Words of the rules that stand for several interactions.
_SEVERAL: Mapping[str, tuple[str, ...]] = {
    "search": ("search-type",),
    "history": ("history-instance", "history-type"),
}


@dataclass(frozen=True, slots=True)
class Key:
    """What a rule is about: one interaction (``$name`` of an operation) of one user type."""

    service: str
    #: empty at system level
    resource_type: str
    interaction: str
    user_type: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What the table says of one key."""

    key: Key
    #: one is enough; none: there is no need of any
    privileges: tuple[str, ...]
    #: names of demands, all of which must hold
    demands: tuple[str, ...]
    #: ``found``, ``inferred`` or ``proposed``
    source: str
    #: type and parameter, with a dot, of other types that a search may go through
    reaches: frozenset[str] = frozenset()
    #: types that an operation writes by its own privilege
    writes: frozenset[str] = frozenset()
    #: types that an operation answers by its own demands, and not by those of their reads
    shows: frozenset[str] = frozenset()


class Table:
    """All cells, by what they are about."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        """Take them; of two with one key the first counts."""
        self._cells: dict[tuple[str, str, str, str], Cell] = {}
        for cell in cells:
            key = cell.key
            place = (key.service, key.resource_type, key.interaction, key.user_type)
            self._cells.setdefault(place, cell)
        self.services = frozenset(place[0] for place in self._cells) - {ANYWHERE}

    def __iter__(self) -> Iterator[Cell]:
        """Go through the cells, in the order of the files."""
        return iter(self._cells.values())

    def find(
        self, service: str, resource_type: str, interaction: str, user_type: str
    ) -> Cell | None:
        """Find what holds; ``None``: it is not allowed.

        A service without rules is for SYSTEM, who needs the privilege that the type and
        the interaction tell.
        """
        cells = self._cells
        found = cells.get((service, resource_type, interaction, user_type))
        if found is not None:
            return found
        if service not in self.services:
            return _plain(service, resource_type, interaction, user_type)
        found = cells.get((ANYWHERE, resource_type, interaction, user_type))
        if found is None and resource_type and interaction.startswith("$"):
            found = cells.get((ANYWHERE, _ANY, interaction, user_type))
            return _of_type(found, resource_type) if found is not None else None
        return found


#: Interactions by the word that privileges have for them.
WORDS: Mapping[str, str] = {
    "read": "read",
    "vread": "read",
    "include": "read",
    "history-instance": "read",
    "history-type": "search",
    "history-system": "search",
    "search-type": "search",
    "search-system": "search",
    "create": "create",
    "update": "update",
    "patch": "patch",
    "delete": "delete",
}


@lru_cache(maxsize=4096)
def _plain(
    service: str, resource_type: str, interaction: str, user_type: str
) -> Cell | None:
    """Make the cell of a service that has no rules."""
    if user_type != "SYSTEM":
        return None
    if interaction.startswith("$"):
        needs = (f"{resource_type}{interaction}",)
    elif resource_type:
        needs = (f"{resource_type}.{WORDS[interaction]}",)
    else:
        needs = (f"FHIR.{'transaction' if interaction == 'batch' else interaction}",)
    key = Key(service, resource_type, interaction, user_type)
    return Cell(key, needs, (), "proposed")


@lru_cache(maxsize=4096)
def _of_type(cell: Cell, resource_type: str) -> Cell:
    """Make of a cell about all types one about this type."""
    named = tuple(one.replace("{type}", resource_type) for one in cell.privileges)
    return Cell(cell.key, named, cell.demands, cell.source)


@lru_cache(maxsize=1)
def read_table() -> Table:
    """Read the rules that come with this plugin.

    :raises ValueError: a row that says something unknown.
    """
    folder = files(__package__).joinpath("rules")
    names = sorted(one.name for one in folder.iterdir() if one.name.endswith(".toml"))
    cells: list[Cell] = []
    for name in names:
        content = tomllib.loads(folder.joinpath(name).read_text(encoding="utf-8"))
        cells += cells_of(name.removesuffix(".toml"), content)
    return Table(cells)


def cells_of(service: str, content: Mapping[str, Any]) -> Iterator[Cell]:
    """Make the cells of one file.

    :raises ValueError: a row that says something unknown.
    """
    for kinds, table in content.items():
        for kind in kinds.split():
            for row in table["rules"]:
                _check(service, kinds, row)
                yield from _cells(service, kind, row)


def _cells(service: str, kind: str, row: Mapping[str, str]) -> Iterator[Cell]:
    resource_type = "" if kind == SYSTEM_LEVEL else kind
    demands = tuple(row.get("if", "").split())
    for word in row["on"].split():
        needs = row.get("needs", "").replace("{operation}", word)
        if kind != _ANY:
            needs = needs.replace("{type}", kind)
        for interaction in _SEVERAL.get(word, (word,)):
            for user in ("SYSTEM", *row.get("by", "").split()):
                yield Cell(
                    Key(service, resource_type, interaction, user),
                    tuple(needs.split()),
                    () if user == "SYSTEM" else demands,
                    row["source"],
                    frozenset(row.get("reaches", "").split()),
                    frozenset(row.get("writes", "").split()),
                    frozenset(row.get("shows", "").split()),
                )


def _check(service: str, kinds: str, row: Mapping[str, str]) -> None:
    """Refuse a row that nobody would understand.

    :raises ValueError: unknown keys, users, demands or sources.
    """
    wrong = [
        *(row.keys() - _KEYS),
        *(set(row.get("by", "").split()) - set(USER_TYPES[1:])),
        *(set(row.get("if", "").split()) - demands_told().keys()),
        *({row.get("source", "")} - set(SOURCES)),
    ]
    if wrong or "on" not in row:
        listed = ", ".join(repr(one) for one in wrong) or "no 'on'"
        raise ValueError(f"{service}.toml, [{kinds}]: {listed} in {dict(row)}")


@lru_cache(maxsize=1)
def demands_told() -> Mapping[str, str]:
    """Give all demands, each with the sentence that explains it."""
    return _data("demands.toml")


@lru_cache(maxsize=1)
def elements() -> Mapping[str, Mapping[str, Any]]:
    """Give, by type, where resources say what they belong to."""
    return _data("elements.toml")


def _data(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text("utf-8"))
