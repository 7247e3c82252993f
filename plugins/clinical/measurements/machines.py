"""What may become of a measurement after it was submitted, as tables.

https://ehealth.sundhed.dk/fhir/StructureDefinition-ehealth-media.html says so of Media;
an Observation is never changed, and neither are answers once they are complete. Only its
validity changes: a measurement is invalidated, and that is taken back. What was never
submitted, as it has no identifier of the server, is not judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from fyr.core import (
    FyrError,
    Issue,
    Machine,
    Resource,
    Step,
    Transition,
    broken_rule,
    refuses,
)
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.measurements import overlays
from fyr.plugins.clinical.measurements.completing import IDENTIFIERS
from fyr.plugins.clinical.parts import Room

_SYSTEM = frozenset({"SYSTEM"})
_INVALID = "entered-in-error"
_DRAFT = "in-progress"
#: States of a Media that is not finished.
_UNFINISHED = ("preparation", "in-progress", "on-hold")
#: What is told of a version, and not of the measurement.
_ABOUT = frozenset({"meta", "text", "status"})
_INVALIDATED = "It does not hold, by `$set-measurement-validity`."
_RETRACTED = "It holds after all, by `$set-measurement-validity`."


def machines(room: Room) -> Iterable[Machine]:
    """Offer the tables."""
    media = replace(
        MEDIA,
        when=(*MEDIA.when, overlays.kept_content(room)),
        then=(overlays.moved_out(room),),
    )
    return [OBSERVATION, QUESTIONNAIRE_RESPONSE, media]


def was_submitted(resource: Resource) -> bool:
    """Whether a measurement has come by ``$submit-measurement``."""
    found = resource.get("identifier", ())
    some = [found] if isinstance(found, Mapping) else found
    return any(one.get("system") == IDENTIFIERS for one in some)


def is_of_an_episode(resource: Resource) -> bool:
    """Whether answers belong to an episode of care, finished or not."""
    return next(_episodes(resource), None) is not None


def _episodes(resource: Resource) -> Iterator[Mapping[str, Any]]:
    return extensions.extensions(resource, extensions.EPISODE_OF_CARE)


@refuses("GENERAL_VALIDATION_ERROR")
def nothing_else(transition: Transition) -> Iterable[FyrError | Issue]:
    """Tell what of a measurement would be changed beside its status."""
    old, new = transition.old, transition.new
    if old is None or new is None or transition.start == _DRAFT:
        return
    for name in sorted((old.keys() | new.keys()) - _ABOUT):
        if old.get(name) != new.get(name):
            yield _unchangeable(transition, name)


@refuses("GENERAL_VALIDATION_ERROR")
def of_media(transition: Transition) -> Iterable[FyrError | Issue]:
    """Tell what of a Media would be changed, and may not.

    Content is changed of overlays, and other Media are added that it is related to.
    """
    old, new = transition.old, transition.new
    if old is None or new is None:
        return
    allowed = {*_ABOUT, "extension"}
    if overlays.is_overlay(old):
        allowed.add("content")
    for name in sorted((old.keys() | new.keys()) - allowed):
        if old.get(name) != new.get(name):
            yield _unchangeable(transition, name)
    if not _extends(transition, old, new):
        yield _unchangeable(transition, "extension")


def _extends(transition: Transition, old: Resource, new: Resource) -> bool:
    """Whether all extensions are what they were, but for relations that are new.

    Thumbnails are Fyr's to change.
    """
    free = {extensions.MEDIA_RELATED_TO}
    if transition.user_type in _SYSTEM:
        free.add(extensions.MEDIA_THUMBNAIL)
    before, after = (
        [one for one in version.get("extension", ()) if one.get("url") not in free]
        for version in (old, new)
    )
    related = list(extensions.extensions(new, extensions.MEDIA_RELATED_TO))
    return before == after and all(
        one in related
        for one in extensions.extensions(old, extensions.MEDIA_RELATED_TO)
    )


def _unchangeable(transition: Transition, name: str) -> Issue:
    kind = transition.machine.resource_type
    text = f"{name} of a {kind} that was submitted cannot be changed."
    return broken_rule(text, f"{kind}.{name}")


OBSERVATION = Machine(
    "observation",
    "Observation",
    (
        Step(None, "final", what="It is submitted."),
        Step("final", _INVALID, what=_INVALIDATED),
        Step(_INVALID, "final", what=_RETRACTED),
    ),
    holds=was_submitted,
    when=(nothing_else,),
    what="An Observation that was submitted: only its validity changes.",
)

QUESTIONNAIRE_RESPONSE = Machine(
    "questionnaire-response",
    "QuestionnaireResponse",
    (
        Step(None, _DRAFT, what="Somebody begins to answer."),
        Step(None, "completed", what="It is submitted."),
        Step(_DRAFT, "stopped", what="The answers are given up. Proposed."),
        Step(_DRAFT, _INVALID, what="It was a mistake. Proposed."),
        Step(
            _DRAFT,
            "completed",
            by=_SYSTEM,
            what="A system has the answers otherwise; others submit them. Proposed.",
        ),
        Step("completed", _INVALID, what=_INVALIDATED),
        Step(_INVALID, "completed", what=_RETRACTED),
    ),
    holds=is_of_an_episode,
    when=(nothing_else,),
    what=(
        "Answers of an episode of care. While they are in progress they are changed"
        " freely; once they are complete only their validity changes."
    ),
)

MEDIA = Machine(
    "media",
    "Media",
    (
        Step(None, "completed", what="It is submitted."),
        *(
            Step(None, state, by=_SYSTEM, what="It comes from another system.")
            for state in _UNFINISHED
        ),
        *(
            Step(state, "stopped", what="It is not to be used any more.")
            for state in (*_UNFINISHED, "completed")
        ),
        Step("completed", _INVALID, what=_INVALIDATED),
        Step("stopped", _INVALID, by=_SYSTEM, what="It does not hold. Proposed."),
        Step(_INVALID, "completed", what=_RETRACTED),
    ),
    holds=was_submitted,
    when=(of_media,),
    what=(
        "A Media that was submitted: its validity changes, it is stopped, the content of"
        " an overlay is replaced, and it is related to others."
    ),
)
