"""The table of events, read from ``events.toml``: what each row says, and for whom."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

from fyr.core import Resource
from fyr.core.telling import (
    Condition,
    Path,
    condition,
    first_patient,
    profiles_of,
    referred,
)

SIMPLE, REFERENCE, CONTEXT = "simple", "reference", "context"
CREATED, UPDATED, DELETED = "created", "updated", "deleted"
ADDED, REMOVED = "added", "removed"

#: kind of a row -> its name in messages, and the events that it may have
KINDS: Mapping[str, tuple[str, frozenset[str]]] = {
    SIMPLE: ("EHealthSimpleEvent", frozenset({CREATED, UPDATED, DELETED})),
    REFERENCE: ("EHealthReferenceEvent", frozenset({ADDED, REMOVED})),
    CONTEXT: ("EHealthContextEvent", frozenset({CREATED, UPDATED, DELETED})),
}


@dataclass(frozen=True)
class Row:
    """One row: a topic, its events, and what of a change they are made of."""

    topic: str
    message: str
    service: str
    events: tuple[str, ...]
    type: str = ""
    when: Mapping[str, Any] = field(default_factory=dict)
    element: str = ""
    paths: tuple[str, ...] = ()
    profiles: frozenset[str] = frozenset()
    but: frozenset[str] = frozenset()
    needs: str = ""
    certainty: str = "stated"
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a row that says too little or what cannot be.

        :raises ValueError: with the row's topic.
        """
        _, events = KINDS.get(self.message, ("", frozenset()))
        problems = [
            problem
            for problem, there in (
                ("its kind", self.message not in KINDS),
                ("its events", not events.issuperset(self.events)),
                ("its type", not self.type and not self.needs),
                ("paths", bool(self.paths) != (self.message == REFERENCE)),
                (
                    "a condition, or what tells it",
                    self.message == CONTEXT and not self.when and not self.needs,
                ),
            )
            if there
        ]
        if problems:
            raise ValueError(f"{self.topic}: look at {', '.join(problems)}")

    @property
    def message_type(self) -> str:
        """The name of its messages: ``EHealthSimpleEvent``."""
        return KINDS[self.message][0]

    @property
    def profile(self) -> str:
        """The first part of the topic, ``ehealth-careplan``."""
        return self.topic.partition(".")[0]

    @property
    def rest(self) -> str:
        """The topic behind the profile: context, or element unless the row has one."""
        return self.topic.partition(".")[2]

    @property
    def resource_element(self) -> str:
        """What ``resourceElement`` says."""
        return self.element or self.rest

    @cached_property
    def holds(self) -> Condition:
        """The condition of a context."""
        name, path = next(
            (name, path) for name, path in self.when.items() if name != "any"
        )
        return condition(name, path, self.when.get("any", ()))

    @cached_property
    def _paths(self) -> list[Path]:
        return [Path(one) for one in self.paths]

    def references(self, resource: Resource | None) -> list[str]:
        """Tell the references of its element, each once."""
        return referred(value for path in self._paths for value in path(resource))

    def is_about(self, resource: Resource) -> bool:
        """Whether the profiles of a resource are those of the row."""
        if not self.profiles and not self.but:
            return True
        said = profiles_of(resource)
        if self.profiles and self.profiles.isdisjoint(said):
            return False
        return self.but.isdisjoint(said)


@dataclass(frozen=True)
class Table:
    """All rows, in the order of the file."""

    rows: tuple[Row, ...]
    patients: Mapping[str, Path]

    @cached_property
    def by_type(self) -> Mapping[str, Sequence[Row]]:
        """The rows that changes of a type are looked at for."""
        made: dict[str, list[Row]] = {}
        for row in self.rows:
            if row.type and not row.needs:
                made.setdefault(row.type, []).append(row)
        return made

    @cached_property
    def topics(self) -> tuple[str, ...]:
        """All topics, each once."""
        return tuple(dict.fromkeys(row.topic for row in self.rows))

    def patient(self, resource: Resource) -> str:
        """Tell the reference of the Patient whom a resource concerns, or nothing."""
        type_ = resource.get("resourceType", "")
        if type_ == "Patient":
            return f"Patient/{resource.get('id', '')}"
        found = self.patients[type_](resource) if type_ in self.patients else ()
        return first_patient(referred(found))

    def told_by_others(self, topic: str, event: str) -> Row | None:
        """Find the row of an event that no change tells of itself."""
        for row in self.rows:
            if row.topic == topic and row.needs and event in row.events:
                return row
        return None


@lru_cache(maxsize=1)
def read_table() -> Table:
    """Read the table that comes with the plugin.

    :raises ValueError: a row is wrong.
    """
    text = (files(__package__) / "events.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    return Table(
        tuple(_row(one) for one in told["event"]),
        {type_: Path(path) for type_, path in told["patient"].items()},
    )


def _row(said: Mapping[str, Any]) -> Row:
    made = dict(said)
    for name, kind in (
        ("events", tuple),
        ("paths", tuple),
        ("profiles", frozenset),
        ("but", frozenset),
    ):
        if name in made:
            made[name] = kind(made[name])
    return Row(**made)
