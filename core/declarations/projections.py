"""Projections: what reports may know of a resource, as a flat list of columns.

A plugin declares them as data, in TOML files or as these types, and gives them by the hook
``register_projections``. What several plugins declare for one type is one projection.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from fyr.core.declarations.toml_files import tables_in

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

#: ``keyword``: a text that is compared as a whole; ``number``: a double; ``date``: an
#: instant, in milliseconds, UTC; ``text``: words that are searched in.
ColumnType = Literal["keyword", "number", "date", "boolean", "text"]
TYPES: frozenset[str] = frozenset(get_args(ColumnType))


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    How values become what a column holds:

    ========  =====================================================================
    keyword   a code, id, URI or string as it is; ``SYSTEM|CODE`` of a Coding or
              Identifier, ``|CODE`` of one without a system; all codings of a
              CodeableConcept; ``Patient/1`` of a Reference, nothing of one that
              names no resource; ``true`` or ``false``
    number    a number; the value of a Quantity, whatever its unit
    date      the first instant of what was written: ``2026-03`` is the first
              millisecond of March, UTC; the start of a Period
    boolean   as it is
    text      a string or markdown; the text of a CodeableConcept
    ========  =====================================================================
    """

    name: str
    type: ColumnType
    #: FHIRPath from the resource on, as search parameters are written; ``a | b``
    path: str
    #: one sentence for those who ask
    description: str
    #: all values; otherwise the first that there is
    many: bool = False
    #: of a date: its year, as a number
    year: bool = False
    #: why data that tells who somebody is must be there; empty: it tells nobody's name
    personal: str = ""


@dataclass(frozen=True, slots=True)
class Projection:
    """The columns of a resource type, beside those of :data:`COMMON`."""

    type: str
    columns: tuple[Column, ...]
    #: path of the patient that a resource is about; ``$this``: it is one; empty: none
    patient: str = ""

    def column(self, name: str) -> Column | None:
        """Give a column by its name, one that all types have too."""
        return next((one for one in self.all if one.name == name), None)

    @property
    def all(self) -> tuple[Column, ...]:
        """All columns, those that every type has first."""
        return (*COMMON, *self.columns)


_NAME = re.compile(r"[a-zA-Z][A-Za-z0-9_]{0,60}", re.ASCII)
#: Names that an index uses itself.
_TAKEN = frozenset({"doc", "deleted"})

#: What every document has.
COMMON = (
    Column("id", "keyword", "id", "Id of the resource."),
    Column("version", "number", "meta.versionId", "Number of its version."),
    Column("lastUpdated", "date", "meta.lastUpdated", "When that was stored."),
    Column("patient", "keyword", "", "The patient that it is about."),
)


class WrongProjection(ValueError):
    """What a plugin declares cannot be joined with the rest."""


def joined(projections: Iterable[Projection]) -> dict[str, Projection]:
    """Join what plugins declare, by type.

    :raises WrongProjection: two declare one column, or another patient.
    """
    found: dict[str, Projection] = {}
    for one in projections:
        known = found.get(one.type)
        found[one.type] = one if known is None else _both(known, one)
    for one in found.values():
        _check(one)
    return dict(sorted(found.items()))


def projections_in(folder: Traversable) -> Iterator[Projection]:
    """Read the projections of a folder's TOML files.

    A table for each type, named by it: ``patient``, and ``columns`` by their names; ``~``
    in a path stands for the ``prefix`` of the file.

    :raises TypeError: a key that no column has, or one that is missing.
    """
    for _, declared in tables_in(folder):
        prefix = declared.pop("prefix", "")
        for type_, one in declared.items():
            yield _projection(type_, one, prefix)


def _projection(type_: str, declared: Mapping[str, Any], prefix: str) -> Projection:
    columns = tuple(
        Column(name, **{**given, "path": given["path"].replace("~", prefix)})
        for name, given in declared["columns"].items()
    )
    return Projection(type_, columns, declared.get("patient", ""))


def _both(one: Projection, other: Projection) -> Projection:
    if one.patient and other.patient and one.patient != other.patient:
        raise WrongProjection(
            f"{one.type}: its patient is at {one.patient} and at {other.patient}"
        )
    columns = (*one.columns, *other.columns)
    return replace(one, columns=columns, patient=one.patient or other.patient)


def _check(projection: Projection) -> None:
    names: set[str] = set()
    for one in projection.all:
        if not _NAME.fullmatch(one.name) or one.name in _TAKEN:
            raise WrongProjection(f"{projection.type}: no column is named {one.name}")
        if one.name.lower() in names:
            raise WrongProjection(f"{projection.type}: two columns named {one.name}")
        if one.type not in TYPES:
            raise WrongProjection(f"{projection.type}.{one.name}: no type {one.type}")
        names.add(one.name.lower())
