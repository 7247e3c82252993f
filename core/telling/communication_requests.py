"""CommunicationRequests: who wants a kind of message that the server sends, and how.

https://hl7.org/fhir/R4/communicationrequest.html. Of those that are active, in force and
about the same thing for the same recipient, the one whose period began last decides; of two
that began together the one that says no. ``doNotPerform`` suppresses a message, ``medium``
and ``payload`` take the place of its own. What one does not say, it does not ask for: one
without a reason is about all reasons. One that is based on something is about that alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from fyr.core.model.extensions import reference_of
from fyr.core.model.resource import copied
from fyr.core.workflow.timing import DANISH, first_of, last_of

if TYPE_CHECKING:
    from fyr.core.interactions.acting import Acting
    from fyr.core.model.resource import Resource

#: Where a message, and a request for one, says to which episode of care it belongs.
_EPISODE: Final = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
#: Where a message says what it is about.
_ABOUT: Final = ("about", "partOf", "basedOn")
#: What takes the place of that of a message.
_OWN: Final[tuple[str, ...]] = ("medium", "payload")
_EVER: Final = datetime.min.replace(tzinfo=UTC)


def steered(
    acting: Acting, message: Resource, recipient: str, *about: str
) -> Resource | None:
    """Give a message as its recipient wants it; ``None``: not at all.

    :param message: a Communication that is not stored yet.
    :param recipient: who gets it, a relative reference.
    :param about: what it is about beside what it names itself.
    """
    criteria = (("recipient", recipient), ("status", "active"))
    named = {*about, *_named(message, _ABOUT)}
    found = [
        one
        for one in acting.find("CommunicationRequest", *criteria)
        if _is_about(one, message, named) and _is_in_force(one, acting.now)
    ]
    winner = max(found, key=_weight, default=None)
    if winner is None:
        return message
    if winner.get("doNotPerform"):
        return None
    return {**message, **{one: copied(winner[one]) for one in _OWN if one in winner}}


def _is_about(request: Resource, message: Resource, named: set[str]) -> bool:
    """Whether a request says nothing that the message is not."""
    for name in ("category", "reasonCode"):
        codes = _codes(request, name)
        if codes and codes.isdisjoint(_codes(message, name)):
            return False
    based = _named(request, ("basedOn",))
    if based and based.isdisjoint(named):
        return False
    episode = reference_of(request, _EPISODE)
    if episode and episode != reference_of(message, _EPISODE):
        return False
    subject = request.get("subject", {}).get("reference")
    return not subject or subject == message.get("subject", {}).get("reference")


def _is_in_force(request: Resource, now: datetime) -> bool:
    period = request.get("occurrencePeriod", {})
    start, end = (
        first_of(period.get("start"), DANISH),
        last_of(period.get("end"), DANISH),
    )
    return (start is None or start <= now) and (end is None or now <= end)


def _weight(request: Resource) -> tuple[datetime, bool]:
    """Order requests by when their periods began, then those first that say no."""
    start = first_of(request.get("occurrencePeriod", {}).get("start"), DANISH)
    return start or _EVER, bool(request.get("doNotPerform"))


def _codes(resource: Mapping[str, Any], name: str) -> set[str]:
    """Tell the codes of an element of several CodeableConcepts, whatever their systems."""
    return {
        str(coding["code"])
        for concept in resource.get(name, ())
        for coding in concept.get("coding", ())
        if coding.get("code")
    }


def _named(resource: Mapping[str, Any], names: tuple[str, ...]) -> set[str]:
    """Tell where the references of some elements lead, whatever version they name."""
    return {
        str(one["reference"]).partition("/_history/")[0]
        for name in names
        for one in resource.get(name, ())
        if one.get("reference")
    }
