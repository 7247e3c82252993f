"""What must hold for a message, whoever it is of and wherever it stands.

People are held to it. What systems bring, rules and gateways among them, is taken as it
is, and follows the table of states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from fyr.core import Issue, broken_rule, refuses
from fyr.plugins.administrative.codes import CODES
from fyr.plugins.administrative.extensions import (
    ADMINISTRATIVE_STATUS,
    value_of,
)
from fyr.plugins.administrative.messages import terms
from fyr.plugins.administrative.messages.completing import sent_by_server

if TYPE_CHECKING:
    from fyr.core import Resource, Transition

PEOPLE = frozenset({"PATIENT", "PRACTITIONER", "SSL"})
#: Characters of a text message.
_LONGEST = 160
_MISSING = "MissingMeasurementResolving"
#: Of a message that has been sent, what its recipient says, and what versions are told by.
_OF_RECIPIENTS = frozenset({"received", "meta", "text"})

Rule = Callable[["Resource"], Iterator[Issue]]


@refuses(
    "COMMUNICATION_EXACTLY_ONE_CAREPLAN_MUST_BE_SUPPLIED_WHEN_REASON_CODE_MISSING_MEASUREMENT_RESOLVING",
    "COMMUNICATION_UPDATE_TO_CATEGORY_IS_NOT_ALLOWED",
    "COMMUNICATION_EXACTLY_ONE_MESSAGE_CATEGORY_IS_EXPECTED_ACTUAL",
    "COMMUNICATION_SENT_PROP_CANNOT_BE_SET_BY_CLIENT",
    "COMMUNICATION_ONLY_STATUS_COMPLETED_CAN_BE_MARKED_AS_RECEIVED",
    "COMMUNICATION_ONLY_STATUS_COMPLETED_CAN_HAVE_ADMINISTRATIVE_STATUS_OTHER_THAN_ACTIVATE",
    "COMMUNICATION_EXACTLY_ONE_SENDER_OR_CARE_TEAM_SENDER_MUST_BE_SUPPLIED",
    "COMMUNICATION_EXACTLY_ONE_RECIPIENT_OR_CARE_TEAM_RECIPIENT_MUST_BE_SUPPLIED",
    "COMMUNICATION_MEDIUM_EBOKS_OR_NEMSMS_REQUIRES_PATIENT_RECIPIENT",
    "COMMUNICATION_PATIENT_NEMSMS_NOT_ALLOWED",
    "GENERAL_VALIDATION_ERROR",
)
def well_formed(transition: Transition) -> Iterator[Issue]:
    """Tell what is wrong with a message while it is its sender's to change."""
    new, old = transition.new, transition.old
    if transition.user_type not in PEOPLE or new is None:
        return
    yield from _receipt(transition, new)
    if old is not None:
        if terms.categories(old) != terms.categories(new):
            code = CODES["COMMUNICATION_UPDATE_TO_CATEGORY_IS_NOT_ALLOWED"]
            told = ", ".join(terms.categories(new)) or "none"
            yield code.issue(told, expression=("Communication.category",))
        if transition.start not in terms.UNSENT:
            return
    elif len(terms.categories(new)) != 1 or terms.category(new) not in _BY_CATEGORY:
        code = CODES["COMMUNICATION_EXACTLY_ONE_MESSAGE_CATEGORY_IS_EXPECTED_ACTUAL"]
        told = ", ".join(terms.categories(new)) or "none"
        yield code.issue(told, expression=("Communication.category",))
    yield from _one_of_each(new)
    kinds = _BY_CATEGORY.get(terms.category(new))
    if kinds is not None:
        yield from kinds(new)
    yield from _medium(transition, new)
    if _MISSING in terms.reasons(new) and len(new.get("partOf", ())) != 1:
        code = CODES[
            "COMMUNICATION_EXACTLY_ONE_CAREPLAN_MUST_BE_SUPPLIED_WHEN_REASON_CODE_MISSING_MEASUREMENT_RESOLVING"
        ]
        yield code.issue(expression=("Communication.partOf",))


def _receipt(transition: Transition, new: Resource) -> Iterator[Issue]:
    """Hold back what only the server says, or only of a message that was sent."""
    old = transition.old or {}
    if new.get("sent") != old.get("sent"):
        code = CODES["COMMUNICATION_SENT_PROP_CANNOT_BE_SET_BY_CLIENT"]
        yield code.issue(expression=("Communication.sent",))
    if transition.end == "completed" and not transition.moved:
        yield from _known_status(old, new)
        return
    if new.get("received"):
        code = CODES["COMMUNICATION_ONLY_STATUS_COMPLETED_CAN_BE_MARKED_AS_RECEIVED"]
        yield code.issue(expression=("Communication.received",))
    status = value_of(new, ADMINISTRATIVE_STATUS) or {}
    if status.get("code", "activate") != "activate":
        code = CODES[
            "COMMUNICATION_ONLY_STATUS_COMPLETED_CAN_HAVE_ADMINISTRATIVE_STATUS_OTHER_THAN_ACTIVATE"
        ]
        yield code.issue(expression=("Communication.extension",))


def _known_status(old: Resource, new: Resource) -> Iterator[Issue]:
    """Refuse what is no administrative status, where it changes."""
    status = value_of(new, ADMINISTRATIVE_STATUS) or {}
    is_new = status != (value_of(old, ADMINISTRATIVE_STATUS) or {})
    if is_new and status.get("code") not in terms.ADMINISTRATIVE_STATUSES:
        allowed = ", ".join(terms.ADMINISTRATIVE_STATUSES)
        text = f"the administrative status is one of {allowed}"
        yield broken_rule(text, "Communication.extension")


def _one_of_each(new: Resource) -> Iterator[Issue]:
    if len(terms.senders(new)) != 1:
        code = CODES[
            "COMMUNICATION_EXACTLY_ONE_SENDER_OR_CARE_TEAM_SENDER_MUST_BE_SUPPLIED"
        ]
        yield code.issue(expression=("Communication.sender",))
    if len(terms.recipients(new)) != 1:
        code = CODES[
            "COMMUNICATION_EXACTLY_ONE_RECIPIENT_OR_CARE_TEAM_RECIPIENT_MUST_BE_SUPPLIED"
        ]
        yield code.issue(expression=("Communication.recipient",))


def _ends(message: Resource) -> tuple[str, str, str, str]:
    """Tell sender and recipient, each with its type."""
    sender = next(iter(terms.senders(message)), "")
    recipient = next(iter(terms.recipients(message)), "")
    kinds = (terms.kind_of(message, sender), terms.kind_of(message, recipient))
    return (sender, recipient, *kinds)


def _message(message: Resource) -> Iterator[Issue]:
    """Messages go between a citizen and a care team, or two care teams."""
    _, _, sender, recipient = _ends(message)
    if {sender, recipient} not in ({"Patient", "CareTeam"}, {"CareTeam"}):
        text = "a message goes from a citizen to a care team, or from a care team"
        yield broken_rule(text, "Communication.sender")


def _from_device(message: Resource) -> Iterator[Issue]:
    _, _, sender, recipient = _ends(message)
    if sender != "Device":
        text = f"the sender of a category {terms.category(message)} is a device"
        yield broken_rule(text, "Communication.sender")
    if recipient not in ("Patient", "CareTeam"):
        text = f"a category {terms.category(message)} is for a citizen or a care team"
        yield broken_rule(text, "Communication.recipient")


def _note(message: Resource) -> Iterator[Issue]:
    """Notes are to oneself, until they are handed to a care team."""
    sender, recipient, kind, whose = _ends(message)
    if kind not in ("Patient", "Practitioner"):
        text = "the sender of a note is a citizen or a practitioner"
        yield broken_rule(text, "Communication.sender")
    elif recipient != sender and whose != "CareTeam":
        text = "a note is for its sender, or for a care team"
        yield broken_rule(text, "Communication.recipient")


_BY_CATEGORY: Mapping[str, Rule] = {
    terms.MESSAGE: _message,
    terms.NOTIFICATION: _from_device,
    terms.ADVICE: _from_device,
    terms.NOTE: _note,
}


def _medium(transition: Transition, new: Resource) -> Iterator[Issue]:
    """Tell whether a message can go out by its medium: to a citizen who takes it."""
    media = terms.media(new)
    if not media:
        return
    _, recipient, _, kind = _ends(new)
    if kind != "Patient":
        code = CODES["COMMUNICATION_MEDIUM_EBOKS_OR_NEMSMS_REQUIRES_PATIENT_RECIPIENT"]
        told = ", ".join(sorted(media))
        yield code.issue(told, expression=("Communication.medium",))
    if terms.NEMSMS not in media:
        return
    if len(terms.text(new)) > _LONGEST:
        text = f"a NemSMS has at most {_LONGEST} characters"
        yield broken_rule(text, "Communication.payload")
    patient = transition.read(recipient) if kind == "Patient" else None
    telecoms = (patient or {}).get("telecom", ())
    if kind == "Patient" and "NemSMS" not in {one.get("value") for one in telecoms}:
        code = CODES["COMMUNICATION_PATIENT_NEMSMS_NOT_ALLOWED"]
        yield code.issue(expression=("Communication.medium",))


@refuses("COMMUNICATION_STATUS_COMPLETED_OR_STOPPED_CANNOT_BE_SET_BY_CLIENT")
def sent_at_once(transition: Transition) -> Iterator[Issue]:
    """Let a message be completed where the server has sent it, and nobody else says so."""
    if not sent_by_server(transition.context, transition.resource):
        code = CODES[
            "COMMUNICATION_STATUS_COMPLETED_OR_STOPPED_CANNOT_BE_SET_BY_CLIENT"
        ]
        yield code.issue(expression=("Communication.status",))


@refuses(
    "COMMUNICATION_NEMSMS_WITH_STATUS_COMPLETED_CANNOT_BE_UPDATED_BY_CLIENT",
    "COMMUNICATION_JSON_PATCH_IS_ONLY_ALLOWED_FOR_NOTE",
    "COMMUNICATION_ONLY_ADMINISTRATIVE_STATUS_AND_RECEIVED_CAN_BE_UPDATED_WHEN_STATUS_IS_COMPLETED",
)
def only_receipt(transition: Transition) -> Iterator[Issue]:
    """Let of a sent message be changed what its recipient says; of a note what it says."""
    old, new = transition.old, transition.new
    if old is None or new is None:
        return
    changed = _lasting(old).keys() ^ _lasting(new).keys() | {
        key for key, one in _lasting(new).items() if _lasting(old).get(key) != one
    }
    place = ("Communication",)
    if terms.NEMSMS in terms.media(old) and old != new:
        code = CODES[
            "COMMUNICATION_NEMSMS_WITH_STATUS_COMPLETED_CANNOT_BE_UPDATED_BY_CLIENT"
        ]
        yield code.issue(expression=place)
    elif terms.category(old) == terms.NOTE:
        return
    elif changed == {"payload"}:
        code = CODES["COMMUNICATION_JSON_PATCH_IS_ONLY_ALLOWED_FOR_NOTE"]
        found = terms.category(old) or "none"
        yield code.issue(terms.NOTE, found, expression=("Communication.payload",))
    elif changed:
        code = CODES[
            "COMMUNICATION_ONLY_ADMINISTRATIVE_STATUS_AND_RECEIVED_CAN_BE_UPDATED_WHEN_STATUS_IS_COMPLETED"
        ]
        places = sorted(f"Communication.{one}" for one in changed)
        yield code.issue(expression=places)


def _lasting(message: Resource) -> dict[str, object]:
    """Give what stays as it was sent, by element."""
    kept: dict[str, object] = {
        key: one for key, one in message.items() if key not in _OF_RECIPIENTS
    }
    kept["extension"] = [
        one
        for one in message.get("extension", ())
        if one.get("url") != ADMINISTRATIVE_STATUS
    ]
    return kept


@refuses(
    "COMMUNICATION_ONLY_ADMINISTRATIVE_STATUS_AND_RECEIVED_CAN_BE_UPDATED_WHEN_STATUS_IS_COMPLETED"
)
def is_note(transition: Transition) -> Iterator[Issue]:
    """Let only notes be deleted once they are complete."""
    if terms.category(transition.resource) != terms.NOTE:
        code = CODES[
            "COMMUNICATION_ONLY_ADMINISTRATIVE_STATUS_AND_RECEIVED_CAN_BE_UPDATED_WHEN_STATUS_IS_COMPLETED"
        ]
        yield code.issue(expression=("Communication.status",))


@refuses("GENERAL_VALIDATION_ERROR")
def says_why(transition: Transition) -> Iterator[Issue]:
    """Ask why a message could not be delivered."""
    if not transition.resource.get("statusReason"):
        text = "say why it was stopped: system-error or recipient-unavailable"
        yield broken_rule(text, "Communication.statusReason")
