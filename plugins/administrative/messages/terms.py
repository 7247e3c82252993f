"""What a message says, read from its elements and extensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fyr.plugins.administrative.extensions import (
    RECIPIENT_TEAM,
    SENDER_TEAM,
    codes_of,
    extensions,
    value,
)

if TYPE_CHECKING:
    from fyr.core import Resource

_CS: Final = "http://ehealth.sundhed.dk/cs/"

PROFILE: Final = "http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-message"
CATEGORIES: Final = _CS + "message-category"
MEDIA: Final = _CS + "message-medium"
REASONS: Final = _CS + "message-reasonCode"
ADMINISTRATIVE: Final = _CS + "administrative-status"
#: How far a recipient is with a message.
ADMINISTRATIVE_STATUSES: Final = ("activate", "read", "complete", "reactivate")
RESTRICTIONS: Final = _CS + "restriction-category"

MESSAGE, NOTIFICATION, ADVICE, NOTE = "message", "notification", "advice", "note"
NEMSMS: Final = "nemsms"
#: Before they are sent, senders change messages as they like.
UNSENT: Final = ("preparation", "on-hold", "not-done", "entered-in-error")


def is_message(communication: Resource) -> bool:
    """Whether a Communication is a message, and neither material nor an annotation."""
    return PROFILE in communication.get("meta", {}).get("profile", ())


def categories(message: Resource) -> list[str]:
    """Tell the categories of messages that one has, as often as it says them."""
    return [
        str(coding.get("code", ""))
        for concept in message.get("category", ())
        for coding in concept.get("coding", ())
        if coding.get("system") == CATEGORIES
    ]


def category(message: Resource) -> str:
    """Tell the category; empty if there is none."""
    return next(iter(categories(message)), "")


def media(message: Resource) -> set[str]:
    """Tell by which media it goes out, beside being here."""
    found = (codes_of(one, MEDIA) for one in message.get("medium", ()))
    return {code for codes in found for code in codes}


def reasons(message: Resource) -> set[str]:
    """Tell the codes of why it is sent."""
    found = (codes_of(one) for one in message.get("reasonCode", ()))
    return {code for codes in found for code in codes}


def senders(message: Resource) -> list[str]:
    """Tell who sends it: persons, devices (``#1`` if contained), and care teams."""
    sender = message.get("sender", {}).get("reference")
    return [*([sender] if sender else []), *_teams(message, SENDER_TEAM)]


def recipients(message: Resource) -> list[str]:
    """Tell who is to get it: persons and care teams."""
    persons = [one.get("reference", "") for one in message.get("recipient", ())]
    return [*persons, *_teams(message, RECIPIENT_TEAM)]


def _teams(message: Resource, url: str) -> list[str]:
    found = (value(one) or {} for one in extensions(message, url))
    return [str(one.get("reference", "")) for one in found]


def kind_of(message: Resource, reference: str) -> str:
    """Tell the type of who is referred to, also of one that is contained."""
    if reference.startswith("#"):
        for one in message.get("contained", ()):
            if one.get("id") == reference[1:]:
                return str(one.get("resourceType", ""))
        return ""
    return (
        reference.partition("/_history/")[0].split("/")[-2] if "/" in reference else ""
    )


def text(message: Resource) -> str:
    """Tell what is in it."""
    return "".join(
        str(one.get("contentString", "")) for one in message.get("payload", ())
    )
