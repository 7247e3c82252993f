"""The states of CommunicationRequests, and what must hold for one.

http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-communication-request: whoever
gets messages that the server sends says by one which and how;
:mod:`fyr.core.telling.communication_requests` asks them. The guide names no steps; those
here are what a clinician would expect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fyr.core import FyrError, Issue, Machine, Step, Transition, refuses
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.careplans import effects, guards
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.references import elements
from fyr.plugins.clinical.tags import add, system_tags

_TYPE: Final = "CommunicationRequest"


@refuses(
    "COMMUNICATIONREQUEST_CONTEXT_NOT_MATCHING_SERVICEREQUEST",
    "COMMUNICATIONREQUEST_SUBJECT_NOT_MATCHING_SERVICEREQUEST",
)
def of_its_request(transition: Transition) -> Iterator[FyrError | Issue]:
    """Refuse another patient or episode than those of the request it is based on."""
    new = transition.new or {}
    for number, based in enumerate(elements(new, "basedOn")):
        request = (
            transition.read(based) if based.startswith("ServiceRequest/") else None
        )
        if request is None:
            continue
        place = [f"{_TYPE}.basedOn[{number}]"]
        for name, said, meant in (
            ("CONTEXT", *(_episode(one) for one in (new, request))),
            ("SUBJECT", *(_subject(one) for one in (new, request))),
        ):
            # One that does not say its episode has that of its request.
            if said and meant and said != meant:
                code = CODES[f"COMMUNICATIONREQUEST_{name}_NOT_MATCHING_SERVICEREQUEST"]
                yield code.issue(said, meant, expression=place)


@refuses("COMMUNICATIONREQUEST_SUBJECT_NOT_MATCHING_RECIPIENT")
def of_its_recipient(transition: Transition) -> Iterator[FyrError | Issue]:
    """Refuse messages about one patient to another one."""
    new = transition.new or {}
    subject = _subject(new)
    for number, one in enumerate(elements(new, "recipient")):
        if subject and one.startswith("Patient/") and one != subject:
            code = CODES["COMMUNICATIONREQUEST_SUBJECT_NOT_MATCHING_RECIPIENT"]
            place = [f"{_TYPE}.recipient[{number}]"]
            yield code.issue(one, subject, expression=place)


@refuses("COMMUNICATIONREQUEST_NO_SYSTEM_TAGS_WITHOUT_EOC")
def tags_need_an_episode(transition: Transition) -> Iterator[FyrError | Issue]:
    """Refuse system tags of one that belongs to no episode of care.

    One that is based on something belongs to the episode of that.
    """
    new = transition.new or {}
    if system_tags(new) and not _episode(new) and not new.get("basedOn"):
        code = CODES["COMMUNICATIONREQUEST_NO_SYSTEM_TAGS_WITHOUT_EOC"]
        yield code.issue(expression=[f"{_TYPE}.meta.tag"])


def take_tags(transition: Transition) -> None:
    """Give a new one the tags of its episode of care, or of what it is based on."""
    effects.take_tags(transition)
    new = transition.new
    if new is None or transition.old is not None or _episode(new):
        return
    for based in elements(new, "basedOn"):
        add(new, system_tags(transition.read(based) or {}))


def _episode(resource: Mapping[str, Any]) -> str:
    return ext.reference_of(resource, ext.EPISODE_OF_CARE) or ""


def _subject(resource: Mapping[str, Any]) -> str:
    return next(elements(resource, "subject"), "")


_GOES_ON = ("draft", "active", "on-hold")

COMMUNICATION_REQUEST = Machine(
    "communication-request",
    _TYPE,
    (
        *(Step(None, one, what="Somebody says what they want.") for one in _GOES_ON),
        Step("draft", "active", what="It counts from now on. Proposed."),
        Step("on-hold", "active", what="It counts again. Proposed."),
        Step("active", "on-hold", what="It does not count for a while. Proposed."),
        *(
            Step(one, "revoked", what="It is not wanted any more. Proposed.")
            for one in _GOES_ON
        ),
        *(
            Step(one, "completed", what="It has done what it was for. Proposed.")
            for one in ("active", "on-hold")
        ),
        *(
            Step(one, "entered-in-error", what="It was a mistake.")
            for one in (*_GOES_ON, "completed", "revoked")
        ),
    ),
    when=(
        of_its_request,
        of_its_recipient,
        tags_need_an_episode,
        guards.tags_are_those_of_the_episode,
    ),
    then=(take_tags,),
    what=(
        "What its recipient wants of the messages that the server sends: none, by which"
        " medium, in which words. It counts while it is active and in its period."
    ),
)
