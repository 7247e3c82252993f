"""Material that is assigned to a citizen: a Communication of one document, for a while.

http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-material-communication:
``in-progress`` is assigned, ``completed`` is over. Whose it is, and in which episode of
care, stays; when, by whom and what may be changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from fyr.core import FyrError, Issue, Machine, Step, Transition, refuses
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.careplans import effects, guards
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.references import elements
from fyr.plugins.clinical.tasks import terms

_PROFILE: Final = (
    "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-material-communication"
)
#: What an assignment is about, as long as it is there.
_KEPT: Final = ("subject", "recipient", "category")
_ASSIGNED: Final = "in-progress"

Problems = Iterator[FyrError | Issue]


def is_material(communication: Mapping[str, Any]) -> bool:
    """Whether a Communication assigns material, and is no message or annotation."""
    return terms.claims(dict(communication), _PROFILE)


def _is_loaded(transition: Transition) -> bool:
    """Whether a system brings it: data comes from somewhere."""
    return transition.old is None and transition.user_type == "SYSTEM"


@refuses(
    "MATERIAL_COMMUNICATION_MISSING_PAYLOAD",
    "MATERIAL_COMMUNICATION_MISSING_EPISODE_OF_CARE",
    "MATERIAL_COMMUNICATION_SUBJECT_AND_RECIPIENT_MISMATCH",
    "MATERIAL_COMMUNICATION_PATIENT_MISMATCH_ON_EPISODEOFCARE",
)
def is_whole(transition: Transition) -> Problems:
    """Ask for one document, an episode of care, and one patient in all of it."""
    new, old = transition.new or {}, transition.old
    # What a system has brought without may be edited, and ended, all the same.
    if _is_loaded(transition) or (old and _judged(old) == _judged(new)):
        return
    if len(new.get("payload", ())) != 1:
        yield _issue("MISSING_PAYLOAD", "payload")
    subject, episode = _first(new, "subject"), guards.episode_of(transition)
    if not _episode(new):
        yield _issue("MISSING_EPISODE_OF_CARE", "extension")
    if recipient := _first(new, "recipient"):
        if recipient != subject:
            yield _issue("SUBJECT_AND_RECIPIENT_MISMATCH", "recipient")
    patient = _first(episode or {}, "patient")
    if subject and patient and subject != patient:
        name = "PATIENT_MISMATCH_ON_EPISODEOFCARE"
        yield _issue(name, "subject", subject, patient)


@refuses(
    "MATERIAL_COMMUNICATION_UNABLE_TO_FIND_CONTENT",
    "MATERIAL_COMMUNICATION_PATIENT_MISMATCH_ON_CONTENT",
    "MATERIAL_COMMUNICATION_EPISODE_OF_CARE_MISMATCH_ON_CONTENT",
)
def is_of_its_content(transition: Transition) -> Problems:
    """Refuse a document that is not there, or is for somebody else."""
    new, old = transition.new or {}, transition.old or {}
    named = list(_content(new))
    if _is_loaded(transition) or named == list(_content(old)):
        return
    for number, reference in enumerate(named):
        place = f"payload[{number}].content"
        document = (
            transition.read(reference)
            if reference.startswith("DocumentReference/")
            else None
        )
        if document is None:
            issue = _issue("UNABLE_TO_FIND_CONTENT", place, reference[:200])
            if not reference:
                text = (
                    "The payload of material is a reference to one DocumentReference."
                )
                issue = replace(issue, diagnostics=text)
            yield issue
            continue
        # Material for everybody says no patient and no episode.
        whose, mine = _first(document, "subject"), _first(new, "subject")
        if whose and mine and whose != mine:
            yield _issue("PATIENT_MISMATCH_ON_CONTENT", place, mine, whose)
        within = list(elements(document.get("context", {}), "encounter"))
        episode = _episode(new)
        if within and episode and episode not in within:
            name = "EPISODE_OF_CARE_MISMATCH_ON_CONTENT"
            yield _issue(name, place, episode, ", ".join(within))


@refuses("MATERIAL_COMMUNICATION_UPDATE_NOT_ALLOWED_FOR_FIELD")
def stays_whose_it_is(transition: Transition) -> Problems:
    """Refuse another patient, episode or category than it was assigned with."""
    new, old = transition.new, transition.old
    if new is None or old is None:
        return
    changed = [one for one in _KEPT if old.get(one) != new.get(one)]
    if _episode(old) != _episode(new):
        changed.append("extension")
    for one in changed:
        told = "episodeOfCare" if one == "extension" else one
        yield _issue("UPDATE_NOT_ALLOWED_FOR_FIELD", one, told)


def _judged(resource: Mapping[str, Any]) -> list[Any]:
    told = [resource.get(one) for one in ("subject", "recipient", "payload")]
    return [*told, _episode(resource)]


def _issue(name: str, element: str, *values: str) -> Issue:
    code = CODES[f"MATERIAL_COMMUNICATION_{name}"]
    return code.issue(*values, expression=[f"Communication.{element}"])


def _first(resource: Mapping[str, Any], name: str) -> str:
    return next(elements(resource, name), "")


def _episode(resource: Mapping[str, Any]) -> str:
    return ext.reference_of(resource, ext.EPISODE_OF_CARE) or ""


def _content(resource: Mapping[str, Any]) -> Iterator[str]:
    """Tell where what is assigned is kept; empty: it is no reference."""
    for one in resource.get("payload", ()):
        yield next(elements(one, "contentReference"), "")


MATERIAL = Machine(
    "material",
    "Communication",
    (
        Step(None, _ASSIGNED, what="It is assigned."),
        Step(_ASSIGNED, "completed", what="It is not assigned any more."),
        *(
            Step(one, "entered-in-error", what="It was a mistake. Proposed.")
            for one in (_ASSIGNED, "completed")
        ),
    ),
    holds=is_material,
    when=(
        is_whole,
        is_of_its_content,
        stays_whose_it_is,
        guards.tags_are_those_of_the_episode,
    ),
    then=(effects.take_tags,),
    what="Material that a citizen is to read or see, as long as it is assigned.",
)
