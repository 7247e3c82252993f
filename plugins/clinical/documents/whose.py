"""Guards of whose material is: of nobody, or of one citizen in one episode of care."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fyr.core import Issue, Transition, refuses
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.documents.kinds import GENERAL, OF_PATIENT, kind_of
from fyr.plugins.clinical.references import elements

#: Service -> whether it keeps material for one citizen; others keep both.
_FOR_ONE: Final[Mapping[str, bool]] = {"plan": False, "careplan": True}
_CATEGORY: Final = "DocumentReference.category"
_SUBJECT: Final = "DocumentReference.subject"
_ENCOUNTER: Final = "DocumentReference.context.encounter"


def subject_of(document: Mapping[str, Any]) -> str:
    """Tell whom a document is about; empty: nobody."""
    return next(elements(document, "subject"), "")


def encounters_of(document: Mapping[str, Any]) -> list[str]:
    """Tell the episodes of care that a document belongs to."""
    return list(elements(document.get("context", {}), "encounter"))


def stays_of(transition: Transition) -> str:
    """Tell the category that material has for good: the first it was given."""
    return kind_of(transition.old or {}) or kind_of(transition.resource)


def is_as_before(transition: Transition, *names: str) -> bool:
    """Whether some elements stay as they are: what was brought otherwise is edited, too."""
    old, new = transition.old, transition.new
    return old is not None and all(
        old.get(one) == (new or {}).get(one) for one in names
    )


@refuses(
    "DOCUMENTREFERENCE_PATIENT_MATERIAL_NOT_ALLOWED",
    "DOCUMENTREFERENCE_NOT_CITIZEN_SPECIFIC",
)
def is_at_its_service(transition: Transition) -> Iterator[Issue]:
    """Material for one citizen is kept by careplan, and that for all by plan."""
    if is_as_before(transition, "category"):
        return
    kind = kind_of(transition.resource)
    for_one = _FOR_ONE.get(transition.context.service.name)
    if for_one is False and kind == OF_PATIENT:
        code = CODES["DOCUMENTREFERENCE_PATIENT_MATERIAL_NOT_ALLOWED"]
        yield code.issue(expression=(_CATEGORY,))
    if for_one and kind not in ("", OF_PATIENT):
        code = CODES["DOCUMENTREFERENCE_NOT_CITIZEN_SPECIFIC"]
        yield code.issue(kind[:80], expression=(_CATEGORY,))


@refuses(
    "DOCUMENTREFERENCE_SUBJECT_REFER_TO_PATIENT",
    "DOCUMENTREFERENCE_EPISODEOFCARE_CONTEXT_ENCOUNTER",
    "DOCUMENTREFERENCE_SUBJECT_MANDATORY",
    "DOCUMENTREFERENCE_ENCOUNTER_MANDATORY",
)
def is_of_whom_it_says(transition: Transition) -> Iterator[Issue]:
    """General material is about no patient; other material about one, in one episode."""
    if is_as_before(transition, "category", "subject", "context"):
        return
    new, kind = transition.resource, stays_of(transition)
    subject, encounters = subject_of(new), encounters_of(new)
    if kind == GENERAL and "Patient/" in subject:
        code = CODES["DOCUMENTREFERENCE_SUBJECT_REFER_TO_PATIENT"]
        yield code.issue(expression=(_SUBJECT,))
    if kind == GENERAL and encounters:
        code = CODES["DOCUMENTREFERENCE_EPISODEOFCARE_CONTEXT_ENCOUNTER"]
        yield code.issue(expression=(_ENCOUNTER,))
    if kind == OF_PATIENT and not subject:
        code = CODES["DOCUMENTREFERENCE_SUBJECT_MANDATORY"]
        yield code.issue(expression=(_SUBJECT,))
    if kind == OF_PATIENT and len(encounters) != 1:
        code = CODES["DOCUMENTREFERENCE_ENCOUNTER_MANDATORY"]
        yield code.issue(expression=("DocumentReference",))


@refuses("DOCUMENT_REFERENCE_UPDATE_NOT_ALLOWED_FOR_FIELD")
def keeps_its_category(transition: Transition) -> Iterator[Issue]:
    """The category of material stays what it is."""
    if transition.old is not None and not is_as_before(transition, "category"):
        code = CODES["DOCUMENT_REFERENCE_UPDATE_NOT_ALLOWED_FOR_FIELD"]
        yield code.issue("category", expression=(_CATEGORY,))
