"""Histories of states and of teams, kept by the server.

https://hl7.org/fhir/R4/episodeofcare-definitions.html#EpisodeOfCare.statusHistory is one;
extensions tell the same of other types. The server writes what has happened, so what a
client sends there is replaced by what is stored, in silence: it was read and sent back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from fyr.core.clock import instant
from fyr.core.model.extensions import value_of
from fyr.core.workflow.extensions import (
    Entry,
    entries,
    made,
    replace_all,
    with_value,
)
from fyr.core.workflow.keeping import NATIVE, History

if TYPE_CHECKING:
    from fyr.core.model.resource import Resource
    from fyr.core.workflow.transition import Transition


def keep_history(transition: Transition, history: History) -> None:
    """Write down in the new version what changes with it.

    A system that creates a resource may bring its history along.
    """
    new, old = transition.new, transition.old
    if new is None:
        return
    brought = old is None and transition.user_type == "SYSTEM"
    before, now = new if brought else old, instant(transition.now)
    if history.status:
        states = [transition.end] if transition.moved else None
        _keep(_of_states(history), before, new, states, now)
    if history.team:
        teams = teams_of(new, history.teams)
        known = old is not None and set(teams) == set(teams_of(old, history.teams))
        _keep(_Teams(history.team), before, new, None if known else teams, now)


def states_kept(resource: Resource, history: History) -> list[str]:
    """Tell the states that a history has entries of, the first first."""
    kind = _of_states(history)
    return [kind.what(one) for one in kind.read(resource)]


def teams_of(resource: Resource | None, name: str) -> list[str]:
    """Tell the references of an element that is a list of them."""
    found = (one.get("reference") for one in (resource or {}).get(name, []))
    return list(dict.fromkeys(one for one in found if one))


def _keep(
    kind: _Kind,
    before: Resource | None,
    new: Resource,
    current: list[Any] | None,
    now: str,
) -> None:
    """Take the entries of before, close those that ended and open those that begin.

    :param current: what holds from now on; ``None``: what held before.
    """
    kept = kind.read(before)
    if current is not None:
        opened = {kind.what(one) for one in kept if not _ended(kind.period(one))}
        kept = [
            one
            if _ended(kind.period(one)) or kind.what(one) in current
            else kind.closed(one, {**kind.period(one), "end": now})
            for one in kept
        ]
        kept += [kind.opened(one, now) for one in current if one not in opened]
    kind.write(new, kept)


def _ended(period: Entry) -> bool:
    return "end" in period


class _Kind(Protocol):
    """How a kind of history is read and written; what it has are entries."""

    def read(self, resource: Resource | None) -> list[Entry]: ...
    def write(self, resource: Resource, kept: list[Entry]) -> None: ...
    def what(self, entry: Entry) -> Any: ...
    def period(self, entry: Entry) -> Entry: ...
    def closed(self, entry: Entry, period: Entry) -> Entry: ...
    def opened(self, what: Any, now: str) -> Entry: ...


class _Native:
    """``statusHistory``, an element of ``status`` and ``period``."""

    def read(self, resource: Resource | None) -> list[Entry]:
        return list((resource or {}).get(NATIVE, []))

    def write(self, resource: Resource, kept: list[Entry]) -> None:
        if kept:
            resource[NATIVE] = kept
        else:
            resource.pop(NATIVE, None)

    def what(self, entry: Entry) -> Any:
        return entry.get("status")

    def period(self, entry: Entry) -> Entry:
        period: Entry = entry.get("period", {})
        return period

    def closed(self, entry: Entry, period: Entry) -> Entry:
        return {**entry, "period": period}

    def opened(self, what: Any, now: str) -> Entry:
        return {"status": what, "period": {"start": now}}


class _Extensions:
    """Extensions with a part ``period``."""

    def __init__(self, url: str) -> None:
        self._url = url

    def read(self, resource: Resource | None) -> list[Entry]:
        return [one for _, one in entries(resource, self._url)]

    def write(self, resource: Resource, kept: list[Entry]) -> None:
        replace_all(resource, self._url, kept)

    def period(self, entry: Entry) -> Entry:
        period: Entry = value_of(entry, "period") or {}
        return period

    def closed(self, entry: Entry, period: Entry) -> Entry:
        return with_value(entry, "period", {"valuePeriod": period})

    def _opened(self, name: str, value: Entry, now: str) -> Entry:
        return made(self._url, {name: value, "period": {"valuePeriod": {"start": now}}})


class _States(_Extensions):
    """Extensions with a part ``status``, a CodeableConcept."""

    def __init__(self, url: str, system: str) -> None:
        super().__init__(url)
        self._system = system

    def what(self, entry: Entry) -> Any:
        codings = (value_of(entry, "status") or {}).get("coding", [])
        return codings[0].get("code") if codings else None

    def opened(self, what: Any, now: str) -> Entry:
        coding = (
            {"system": self._system, "code": what} if self._system else {"code": what}
        )
        return self._opened(
            "status", {"valueCodeableConcept": {"coding": [coding]}}, now
        )


class _Teams(_Extensions):
    """Extensions with a part ``careTeam``, a Reference."""

    def what(self, entry: Entry) -> Any:
        return (value_of(entry, "careTeam") or {}).get("reference")

    def opened(self, what: Any, now: str) -> Entry:
        return self._opened("careTeam", {"valueReference": {"reference": what}}, now)


def _of_states(history: History) -> _Kind:
    if history.status == NATIVE:
        return _Native()
    return _States(history.status, history.system)
