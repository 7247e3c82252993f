"""Finds measurements by when they were made, and what was submitted with each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from heapq import merge
from itertools import islice
from typing import Any

from fyr.core import Acting, Forbidden, OperationCall, Resource
from fyr.core.workflow.timing import last_of
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.measurements.asking import Asked
from fyr.plugins.clinical.measurements.reuse import REUSE
from fyr.plugins.clinical.measurements.submission import reference
from fyr.plugins.clinical.measurements.times import bounds, when
from fyr.plugins.clinical.parts import Room
from fyr.plugins.clinical.systems import COHERENT

Criteria = list[tuple[str, str]]
#: Parameter that says when, by type.
_WHEN: Mapping[str, str] = {
    "Observation": "date",
    "QuestionnaireResponse": "authored",
    "Media": "created",
}
_AT_ONCE = 50
_DRAFT = "in-progress"
_FOREVER = datetime.max.replace(tzinfo=UTC)


class Finding:
    """The searches of one call."""

    def __init__(self, room: Room, call: OperationCall, asked: Asked) -> None:
        """Take the call, and what it asks for."""
        self._room = room
        self._call = call
        self._asked = asked
        self._acting: Acting = call.acting()

    @property
    def _is_system(self) -> bool:
        return self._call.context.principal.user_type == "SYSTEM"

    def is_there(self, name: str) -> bool:
        """Whether a resource is there."""
        return self._acting.read(name) is not None

    def require_access(self) -> None:
        """Refuse to search among what the caller may not see.

        Judged is a measurement as it would be found.

        :raises fyr.core.FyrError: it may not be seen.
        """
        asked = self._asked
        episode = self._acting.read(asked.episode) if asked.episode else None
        whose = reference((episode or {}).get("patient"))
        patient = asked.patient or whose
        if whose and patient != whose and not self._is_system:
            raise Forbidden(
                "the episode of care is another patient's",
                expression=["Parameters.parameter.where(name = 'patient')"],
            )
        found: Resource = {"resourceType": "Observation", "id": "found"}
        if asked.episode:
            value = {"reference": asked.episode}
            one = {"url": extensions.EPISODE_OF_CARE, "valueReference": value}
            found["extension"] = [one]
        if patient:
            found["subject"] = {"reference": patient}
        if asked.requests:
            found["basedOn"] = [{"reference": one} for one in asked.requests]
        self._room.application.decide(self._call.context, found, "result")

    def during(self, period: Mapping[str, Any]) -> Iterator[Resource]:
        """Go through what was measured in a period, or reaches into it, by time."""
        found: list[Resource] = []
        for kind, name in _WHEN.items():
            for criteria in self._criteria(kind):
                if "start" in period:
                    criteria.append((name, f"ge{period['start']}"))
                if "end" in period:
                    criteria.append((name, f"le{period['end']}"))
                found += filter(_is_measured, self._acting.each(kind, *criteria))
        return iter(sorted(found, key=_first))

    def after(self, start: str) -> Iterator[Resource]:
        """Go through what was measured after a moment, the first first."""
        return merge(*self._streams(f"sa{start}", ""), key=_first)

    def before(self, end: str) -> Iterator[Resource]:
        """Go through what was measured before a moment, the last first."""
        return merge(*self._streams(f"eb{end}", "-"), key=_last, reverse=True)

    def _streams(self, bound: str, order: str) -> Iterator[Iterator[Resource]]:
        """Give streams that are each in order, one for each way to say when."""
        for kind, name in _WHEN.items():
            for criteria in self._criteria(kind):
                for more in _ways(kind, name, bound, order):
                    found = self._acting.each(kind, *criteria, *more)
                    yield filter(_is_measured, found)

    def _criteria(self, kind: str) -> Iterator[Criteria]:
        """Give the criteria of a type; nothing where none of it can be meant."""
        asked = self._asked
        if asked.device and kind == "QuestionnaireResponse":
            return
        given = {
            "subject": asked.patient,
            "episodeOfCare": asked.episode,
            "device": asked.device,
            "based-on": ",".join(asked.requests),
            "_tag": ",".join(asked.tags),
        }
        yield [(name, value) for name, value in given.items() if value]

    def together(self, found: Iterator[Resource]) -> Iterator[list[Resource]]:
        """Give what was submitted together, once, as the first of it is found."""
        seen: set[str] = set()
        while part := list(islice(found, _AT_ONCE)):
            known = {_name(one): one for one in part}
            groups = self._groups(list(known))
            for name in known:
                if name in seen:
                    continue
                members = groups.get(name, [name])
                seen.update(members)
                yield [
                    one
                    for member in members
                    if (one := self._member(member, known)) is not None
                ]

    def _groups(self, names: list[str]) -> dict[str, list[str]]:
        """Tell what each measurement was submitted with, itself included."""
        criteria = ("target", ",".join(names))
        groups: dict[str, list[str]] = {}
        for one in self._acting.find("Provenance", criteria):
            if COHERENT in one.get("policy", ()):
                members = [reference(target) for target in one["target"]]
                groups.update(dict.fromkeys(members, members))
        return groups

    def _member(self, name: str, known: Mapping[str, Resource]) -> Resource | None:
        """Read a measurement that was not found itself, if it may be seen."""
        if name in known:
            return known[name]
        found = self._acting.read(name)
        return found if found is not None and self._may_be_seen(found) else None

    def origins(self, members: list[Resource]) -> list[Resource]:
        """Give the Provenances of those that are used again, if they may be seen."""
        names = ",".join(map(_name, members))
        found = self._acting.find("Provenance", ("target", names))
        return [
            one
            for one in found
            if REUSE in one.get("policy", ()) and self._may_be_seen(one)
        ]

    def questionnaire(self, name: str) -> Resource | None:
        """Read a Questionnaire."""
        return self._acting.read(name)

    def _may_be_seen(self, resource: Resource) -> bool:
        try:
            self._room.application.decide(self._call.context, resource, "result")
        except Forbidden:
            return False
        return True


def _ways(kind: str, name: str, bound: str, order: str) -> Iterator[Criteria]:
    """Give the ways in which resources of a type say when they were made.

    Answers are of their effective period, as far as they have one, and else of when they
    were written.
    """
    if kind != "QuestionnaireResponse":
        yield [(name, bound), ("_sort", order + name)]
        return
    first, second = "effectivePeriodStart", "effectivePeriodEnd"
    if order:
        first, second = second, first
    yield [(first, bound), ("_sort", order + first)]
    without = (f"{first}:missing", "true")
    yield [without, (second, bound), ("_sort", order + second)]
    neither = [without, (f"{second}:missing", "true")]
    yield [*neither, (name, bound), ("_sort", order + name)]


def _is_measured(resource: Resource) -> bool:
    """Whether it is finished: answers may be kept before they are."""
    return (
        resource.get("status") != _DRAFT or _kind(resource) != "QuestionnaireResponse"
    )


def _first(resource: Resource) -> tuple[datetime, str]:
    """Tell when a measurement began, for an order; what does not say comes last."""
    start, end = bounds(_effective(resource))
    return start or end or _FOREVER, _name(resource)


def _last(resource: Resource) -> tuple[datetime, str]:
    effective = _effective(resource)
    if isinstance(effective, Mapping):
        effective = effective.get("end") or effective.get("start")
    return last_of(effective) or _FOREVER, _name(resource)


def _effective(resource: Resource) -> Any:
    """Tell what says when, that of answers by their effective period if there is one."""
    if _kind(resource) == "QuestionnaireResponse":
        period = extensions.value_of(resource, extensions.EFFECTIVE_PERIOD)
        if period:
            return period
    return when(resource)


def _kind(resource: Resource) -> str:
    return str(resource["resourceType"])


def _name(resource: Resource) -> str:
    return f"{_kind(resource)}/{resource['id']}"
