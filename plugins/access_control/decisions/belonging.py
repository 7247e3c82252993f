"""What a resource belongs to stays what it was, and agrees with itself.

Beside what a cell demands, and for all who are no systems: the context of one who writes
says nothing of the patient where only the episode is demanded, so a measurement could be
written into another patient's record, or carried there.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING

from fyr.plugins.access_control.decisions.before import replaced
from fyr.plugins.access_control.decisions.cases import (
    ResourceCase,
    element_of,
    references,
)
from fyr.plugins.access_control.decisions.resources import outside

if TYPE_CHECKING:
    from fyr.core import Resource

_KEYS = ("patient", "episode")
_LISTED = ("activity.reference",)
#: Patients come and go in them; who takes part has a demand of its own.
_CHANGING = frozenset({"Appointment"})


def judge_belonging(case: ResourceCase) -> None:
    """Let a write pass that moves nothing between patients or episodes of care.

    :raises fyr.core.errors.Forbidden: it does, or the patient is not the episode's.
    """
    if case.use != "new" or case.subject.type in _CHANGING:
        return
    now = {key: case.of(key) for key in _KEYS}
    old = replaced(case)
    if old is not None and any(element_of(old, key) != now[key] for key in _KEYS):
        raise outside(case, "as it would be moved")
    _agree(case, now)
    if case.subject.type == "CarePlan":
        _list_own(case, old, now["episode"])


def _list_own(case: ResourceCase, old: Resource | None, episodes: Set[str]) -> None:
    """Let a plan list what is of its own episode of care.

    Its care teams get the tasks about what it lists.
    """
    added = references(case.resource, _LISTED) - references(old or {}, _LISTED)
    for request in sorted(added):
        found = case.look.read(request)
        if found is not None and element_of(found, "episode") != episodes:
            raise outside(case, "as it lists what is of another episode of care")


def _agree(case: ResourceCase, now: Mapping[str, Set[str]]) -> None:
    patients = {one for one in now["patient"] if "Patient/" in f"/{one}"}
    episodes = {one for one in now["episode"] if one.startswith("EpisodeOfCare/")}
    for episode in sorted(episodes) if patients else ():
        found = case.look.read(episode)
        if found is not None and patients != element_of(found, "patient"):
            raise outside(case, "as its patient is not that of its episode of care")
