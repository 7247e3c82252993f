"""Documents: what projections take from stored versions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import orjson

from fyr.config.load import ConfigError
from fyr.core.declarations.projections import (
    Column,
    Projection,
    WrongProjection,
    joined,
)
from fyr.core.model import json as fhir
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.store.port import Stored
from fyr.search.full_text.words import words
from fyr.search.hashes import hash64
from fyr.search.reporting.paths import Path, path_of
from fyr.search.reporting.port import LONGEST_KEYWORD, Document, Refusal, too_long
from fyr.search.reporting.values import CONVERTERS

#: Raised when the same projection takes other values of a resource than before.
TAKES = 1
#: Milliseconds of the years 0001 to 9999, which is what FHIR's dates are.
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999


class NotIndexable(ValueError):
    """A value that no index can hold."""


class Projections:
    """The projections of a server, and what they take."""

    def __init__(self, declared: Iterable[Projection]) -> None:
        """Join what plugins declare.

        :raises ConfigError: they cannot be joined, a path leads nowhere, or one leads to
            what tells who somebody is and does not say why.
        """
        try:
            self.by_type: Mapping[str, Projection] = joined(declared)
            self._takers = {one.type: _Taker(one) for one in self.by_type.values()}
        except WrongProjection as error:
            raise ConfigError([f"reporting: {error}"]) from None

    @property
    def fingerprint(self) -> str:
        """Tell these projections from others, by what documents they make."""
        told = [
            (kind, one.patient, [_meaning(column) for column in one.columns])
            for kind, one in self.by_type.items()
        ]
        return f"{TAKES}:{hash64(repr(told)) & (2**64 - 1):016x}"

    def documents(
        self, found: Iterable[Stored]
    ) -> tuple[list[Document], list[Refusal]]:
        """Take from versions of types that have projections what reports may know.

        :return: documents, and what no index can hold.
        """
        made = [self.document(one) for one in found]
        return (
            [one for one in made if isinstance(one, Document)],
            [one for one in made if isinstance(one, Refusal)],
        )

    def document(self, stored: Stored) -> Document | Refusal:
        """Take from a version of a type that has a projection what reports may know."""
        values = None
        if stored.body is not None:
            try:
                values = self._takers[stored.type].take(stored)
            except NotIndexable as error:
                return Refusal(stored.type, stored.id, stored.version, str(error))
        return Document(stored.type, stored.id, stored.version, values)


class _Taker:
    """Takes the columns of one type."""

    def __init__(self, projection: Projection) -> None:
        if projection.type not in RESOURCE_TYPES:
            raise WrongProjection(f"R4 has no type {projection.type}")
        self._own_patient = projection.patient == "$this"
        self._columns = [
            (one, _path(one, projection.type)) for one in projection.columns
        ]
        self._patient = None
        if projection.patient and not self._own_patient:
            type_ = projection.type
            made = path_of(projection.patient, type_, CONVERTERS["patient"])
            self._patient = made

    def take(self, stored: Stored) -> dict[str, Any]:
        """Take what there is.

        :raises NotIndexable: a value that no index can hold.
        """
        resource = _plain(stored.body or b"")
        found: dict[str, Any] = {"lastUpdated": stored.updated}
        patient = f"Patient/{stored.id}" if self._own_patient else None
        if self._patient is not None:
            patient = next(self._patient(resource), None)
        if patient is not None:
            found["patient"] = patient
        for column, path in self._columns:
            if column.many:
                values = list(dict.fromkeys(path(resource)))
                if values:
                    found[column.name] = [_checked(column, one) for one in values]
            else:
                value = next(path(resource), None)
                if value is not None:
                    found[column.name] = _checked(column, value)
        return found


def _meaning(column: Column) -> tuple[object, ...]:
    return column.name, column.type, column.path, column.many, column.year


def _path(column: Column, kind: str) -> Path:
    converters = CONVERTERS["year" if column.year else column.type]
    path = path_of(column.path, kind, converters)
    if path.personal and not column.year and not column.personal:
        raise WrongProjection(
            f"{kind}.{column.name} leads to what tells who somebody is, and does not"
            " say why (`personal`)"
        )
    return path


def _checked(column: Column, value: Any) -> Any:
    """Give a value as it is kept.

    :raises NotIndexable: it cannot be.
    """
    kind = column.type
    if kind == "keyword":
        if too_long(value):
            raise NotIndexable(
                f"{column.name} is longer than {LONGEST_KEYWORD:,} bytes"
            )
    elif kind == "number":
        if not math.isfinite(value):
            raise NotIndexable(f"{column.name} is larger than any number that is kept")
    elif kind == "date":
        if not _FIRST <= value <= _LAST:
            raise NotIndexable(f"{column.name} is not within the years 1 to 9999")
    elif kind == "text":
        return _words(value)
    return value


@lru_cache(maxsize=4096)
def _words(text: str) -> str:
    return " ".join(words(text))


def _plain(body: bytes) -> Any:
    """Read what is stored, numbers as doubles."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # A number that no double holds; it is told of where it is taken.
        return fhir.own(body)
