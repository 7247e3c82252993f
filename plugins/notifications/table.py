"""The table of notifications: the rows that come with the plugin, and what corrects them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from fyr.config.load import sentences
from fyr.config.section import Section
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.telling import Condition, Path, condition

CREATED: Literal["created"] = "created"
UPDATED: Literal["updated"] = "updated"


class Said(Section):
    """What an operation or a job says has happened: :data:`fyr.core.telling.TOLD`."""

    topic: str
    event: str
    #: one of these, or any
    status: frozenset[str] = frozenset()

    def is_in(self, payload: Mapping[str, Any]) -> bool:
        """Whether it is this that was said."""
        named = (payload.get("topic"), payload.get("event")) == (self.topic, self.event)
        return named and (not self.status or payload.get("status") in self.status)


class Row(Section):
    """One row; what each field means stands in ``notifications.toml``."""

    id: int = Field(ge=1)
    # It stands in XML and in headers: visible characters of ASCII.
    topic: str = Field(pattern=r"^[!-~]{1,200}$")
    use: str = ""
    service: str
    base: str = Field("", pattern=r"^(https?://[!-~]+)?$")
    type: str = ""
    events: tuple[Literal["created", "updated"], ...] = ()
    when: dict[str, Any] = Field(default_factory=dict)
    patient: str = ""
    episode: str = ""
    through: str = ""
    organization: str = ""
    status: bool = False
    said: Said | None = None
    #: a deployment may switch a row off
    told: bool = True
    certainty: Literal["found", "inferred", "proposed"] = "found"
    note: str = ""

    @model_validator(mode="after")
    def _can_be_told(self) -> Self:
        if self.said is None and self.type not in RESOURCE_TYPES:
            raise ValueError(f"type: {self.type!r} is no type of FHIR R4")
        if self.said is None and not (self.events and self.patient):
            raise ValueError("events and patient are missing")
        # Read once here, so that a mistake stops the start and no event later on.
        _ = self.holds
        for path in (self.patient, self.episode, self.through, self.organization):
            if path:
                Path(path)
        return self

    @cached_property
    def holds(self) -> Condition:
        """The condition beside the event; without one it always holds."""
        if not self.when:
            return lambda old, new: True
        names = [name for name in self.when if name != "any"]
        if len(names) != 1:
            raise ValueError("when: it is to have one condition beside any")
        return condition(names[0], self.when[names[0]], self.when.get("any", ()))


@dataclass(frozen=True)
class Table:
    """The rows that are told, by their numbers."""

    rows: tuple[Row, ...]

    @cached_property
    def by_type(self) -> Mapping[str, Sequence[Row]]:
        """The rows that changes of a type are looked at for."""
        made: dict[str, list[Row]] = {}
        for row in self.rows:
            if row.said is None:
                made.setdefault(row.type, []).append(row)
        return made

    @cached_property
    def said(self) -> Sequence[Row]:
        """The rows that operations and jobs say."""
        return [row for row in self.rows if row.said is not None]


def read_table(corrections: Mapping[int, Mapping[str, Any]] | None = None) -> Table:
    """Read the table that comes with the plugin, and lay corrections over it.

    :param corrections: by number, fields that replace those of a row; a number that is
        new is a row of its own.
    :raises ValueError: a row is wrong; all mistakes at once.
    """
    said = {number: dict(row) for number, row in _rows().items()}
    for number, fields in (corrections or {}).items():
        said[number] = {**said.get(number, {"id": number}), **fields}
    rows, problems = [], []
    for number, fields in sorted(said.items()):
        if fields["id"] != number:
            problems.append(f"table.{number}: id is its number and stays")
        try:
            rows.append(Row(**fields))
        except ValidationError as error:
            problems += sentences(error, Row, ("table", str(number)))
    if problems:
        raise ValueError("; ".join(problems))
    return Table(tuple(row for row in rows if row.told))


@lru_cache(maxsize=1)
def _rows() -> Mapping[int, Mapping[str, Any]]:
    text = (files(__package__) / "notifications.toml").read_text(encoding="utf-8")
    return {row["id"]: row for row in tomllib.loads(text)["notification"]}
