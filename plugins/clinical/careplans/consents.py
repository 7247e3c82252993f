"""Consents: what a patient has agreed to, and whether that holds now.

http://ehealth.sundhed.dk/cs/consent-category: ``PITEOC`` is to take part in an episode of
care. Only an active consent counts, within its period.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from fyr.plugins.clinical.times import moment_of

if TYPE_CHECKING:
    from fyr.core import Acting, Resource

#: Participate in a telemedical episode of care.
PARTICIPATE: Final = "PITEOC"


def has_consent(
    acting: Acting,
    episode: Resource,
    reference: str,
    together: Mapping[str, Resource | None],
) -> bool:
    """Whether the patient of an episode of care takes part in it by consent, now.

    :param together: what is stored in the same call; it counts instead of what is there.
    """
    patient = episode.get("patient", {}).get("reference")
    stored = acting.find("Consent", ("data", reference), ("status", "active"))
    found = {f"Consent/{one['id']}": one for one in stored}
    for key, resource in together.items():
        found.pop(key, None)
        if resource is not None and resource.get("resourceType") == "Consent":
            found[key] = resource
    return any(
        consent.get("status") == "active"
        and consent.get("patient", {}).get("reference") == patient
        and PARTICIPATE in _categories(consent)
        and _is_about(consent, reference)
        and _holds(consent, acting.now)
        for consent in found.values()
    )


def _categories(consent: Mapping[str, Any]) -> set[str]:
    return {
        str(coding.get("code"))
        for category in consent.get("category", ())
        for coding in category.get("coding", ())
    }


def _is_about(consent: Mapping[str, Any], reference: str) -> bool:
    """Whether a consent permits, and permits this; what it forbids is no consent."""
    provision = consent.get("provision", {})
    data = (one.get("reference", {}) for one in provision.get("data", ()))
    named = {one.get("reference") for one in data}
    return provision.get("type", "permit") == "permit" and reference in named


def _holds(consent: Mapping[str, Any], now: datetime) -> bool:
    period = consent.get("provision", {}).get("period", {})
    start, end = moment_of(period.get("start")), _end(period.get("end"))
    return (start is None or start <= now) and (end is None or now <= end)


def _end(text: Any) -> datetime | None:
    """Tell the last moment that a dateTime means: a day goes on until it is over."""
    moment = moment_of(text)
    if moment is not None and len(str(text)) == len("2026-01-31"):
        return moment + timedelta(days=1, microseconds=-1)
    return moment
