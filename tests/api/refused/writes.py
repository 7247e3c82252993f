"""Plain writes that rules refuse: what a row says, and what rows are made with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..guide import CS, ext
from ..spoiling import Body, Spoil, concept, put, to

NURSE, CITIZEN, SYSTEM = "PRACTITIONER", "PATIENT", "SYSTEM"


STAFF = (NURSE, SYSTEM)


ALL = (NURSE, CITIZEN, SYSTEM)


RULE = "GENERAL_VALIDATION_ERROR"


#: What spoils a resource, and the codes that it is refused with.
Rows = Mapping[str, tuple[Spoil, str]]


@dataclass(frozen=True)
class Writes:
    """The refusals of one type, at one service."""

    service: str
    good: Body
    #: what the service offers beside ``create``
    change: str
    #: who is held to it
    users: tuple[str, ...]
    #: of what is new and of what changes, of one of these only
    any: Rows = field(default_factory=dict)
    new: Rows = field(default_factory=dict)
    changed: Rows = field(default_factory=dict)
    is_created: bool = True

    @property
    def kind(self) -> str:
        return str(self.good["resourceType"])


@dataclass(frozen=True)
class Case:
    """One write that is refused."""

    about: Writes
    method: str
    user: str
    sent: Body
    codes: frozenset[str]


def without(name: str) -> Spoil:
    """Take the extensions of a name off."""

    def spoil(resource: Any) -> None:
        kept = [one for one in resource["extension"] if not one["url"].endswith(name)]
        resource["extension"] = kept
        if not kept:
            del resource["extension"]

    return spoil


def more(*extensions: Body) -> Spoil:
    """Add extensions."""

    def spoil(resource: Any) -> None:
        resource["extension"] = [*resource.get("extension", []), *extensions]

    return spoil


def also(*spoils: Spoil) -> Spoil:
    """Spoil in several ways."""

    def spoil(resource: Any) -> None:
        for one in spoils:
            one(resource)

    return spoil


def planned(name: str, *changes: tuple[str, str]) -> Spoil:
    """Plan changes of status: states and moments."""
    return more(
        *(
            ext(
                name,
                extension=[
                    {"url": "scheduledTime", "valueDateTime": moment},
                    {"url": "status", "valueCode": status},
                ],
            )
            for status, moment in changes
        )
    )


def of_team(name: str, team: str = "CareTeam/1") -> Body:
    return ext(name, valueReference=to(team))


def restricted(code: str) -> Body:
    concept_ = concept(code, f"{CS}restriction-category")
    return ext("restriction-category", valueCodeableConcept=concept_)


def of_category(code: str) -> Body:
    return ext(
        "task-category", valueCodeableConcept=concept(code, f"{CS}task-category")
    )


def role(name: str) -> Body:
    parts = [
        {"url": "reference", "valueReference": to("Organization/1")},
        {"url": "role", "valueCodeableConcept": concept(name, "urn:x")},
    ]
    return ext("modifier-role", extension=parts)


SOON, LATER, MUCH_LATER = (
    f"2026-{day}T08:00:00+01:00" for day in ("02-01", "02-02", "04-01")
)


FOREIGN = put("meta", {"tag": [{"system": f"{CS}ehealth-system", "code": "xb"}]})
