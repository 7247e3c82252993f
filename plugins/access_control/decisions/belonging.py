"""What a resource belongs to stays what it was, and agrees with itself.

Beside what a cell demands, and for all who are no systems: the context of one who writes
says nothing of the patient where only the episode is demanded, so a measurement could be
written into another patient's record, or carried there.
"""

from __future__ import annotations

from fyr.plugins.access_control.decisions.before import replaced
from fyr.plugins.access_control.decisions.cases import ResourceCase, element_of
from fyr.plugins.access_control.decisions.resources import outside

_KEYS = ("patient", "episode")
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


def _agree(case: ResourceCase, now: dict[str, set[str]]) -> None:
    patients = {one for one in now["patient"] if "Patient/" in f"/{one}"}
    episodes = {one for one in now["episode"] if one.startswith("EpisodeOfCare/")}
    for episode in sorted(episodes) if patients else ():
        found = case.look.read(episode)
        if found is not None and patients != element_of(found, "patient"):
            raise outside(case, "as its patient is not that of its episode of care")
