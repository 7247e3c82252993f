"""CommunicationRequests: who wants a kind of message, and how.

Of those that are active, in force and about the same reason for the same recipient, the
one whose period began last decides; of two that began together the one that says no.
``doNotPerform`` suppresses a message, ``medium`` and ``payload`` take the place of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fyr.plugins.administrative.extensions import (
    EPISODE_OF_CARE,
    codes_of,
    reference_of,
)
from fyr.plugins.administrative.messages import terms

if TYPE_CHECKING:
    from fyr.core import Acting, Resource


def steered(acting: Acting, message: Resource) -> Resource | None:
    """Give a message as its recipient wants it; ``None``: not at all."""
    (recipient,) = terms.recipients(message)
    criteria = (("recipient", recipient), ("status", "active"))
    found = [
        one
        for one in acting.find("CommunicationRequest", *criteria)
        if _is_about(one, message) and _is_in_force(one, acting.now)
    ]
    winner = max(found, key=_weight, default=None)
    if winner is None:
        return message
    if winner.get("doNotPerform"):
        return None
    changed = dict(message)
    for name in ("medium", "payload"):
        if name in winner:
            changed[name] = winner[name]
    return changed


def _is_about(request: Resource, message: Resource) -> bool:
    """Whether a request says nothing that the message is not."""
    pairs = (
        ("category", {terms.category(message)}),
        ("reasonCode", terms.reasons(message)),
    )
    for name, own in pairs:
        codes = {code for one in request.get(name, ()) for code in codes_of(one)}
        if codes and not codes & own:
            return False
    episode = reference_of(request, EPISODE_OF_CARE)
    if episode and episode != reference_of(message, EPISODE_OF_CARE):
        return False
    subject = request.get("subject", {}).get("reference")
    return not subject or subject == message.get("subject", {}).get("reference")


def _is_in_force(request: Resource, now: datetime) -> bool:
    period = request.get("occurrencePeriod", {})
    return _is_since(period.get("start"), now) and not _is_over(period.get("end"), now)


def _is_since(start: str | None, now: datetime) -> bool:
    if not start or "T" not in start:
        # A day, month or year begins with itself.
        return not start or now.date().isoformat()[: len(start)] >= start
    return datetime.fromisoformat(start) <= now


def _is_over(end: str | None, now: datetime) -> bool:
    if not end or "T" not in end:
        # It lasts until it has passed as a whole.
        return bool(end) and now.date().isoformat()[: len(end or "")] > str(end)
    return datetime.fromisoformat(end) < now


def _weight(request: Resource) -> tuple[str, bool]:
    """Order requests by when their periods began, then those first that say no."""
    start = request.get("occurrencePeriod", {}).get("start", "")
    if "T" in start:
        start = datetime.fromisoformat(start).astimezone(UTC).isoformat()
    return start, bool(request.get("doNotPerform"))
