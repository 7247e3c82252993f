"""Whether an episode of care goes on: by its status, and by the consent of its patient.

http://ehealth.sundhed.dk/cs/consent-category: ``PITEOC`` is to take part in an episode of
care. Only an active consent counts, within its period.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from fyr.core.workflow.timing import DANISH, LAST, first_of, last_of

if TYPE_CHECKING:
    from fyr.core import Acting, Resource

#: Participate in a telemedical episode of care.
PARTICIPATE: Final = "PITEOC"
#: ``EpisodeOfCare.status`` of what is over.
ENDED: Final = frozenset({"finished", "cancelled", "entered-in-error"})
_NEXT = timedelta(milliseconds=1)
_TAKEN_BACK = frozenset({"inactive", "rejected"})


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
        _takes_part(one, patient, reference) and _permits(one, acting.now)
        for one in found.values()
    )


def consents_of(acting: Acting, episode: Resource) -> list[Resource]:
    """Find what the patient of an episode of care has said of taking part in it."""
    patient = episode.get("patient", {}).get("reference")
    reference = f"EpisodeOfCare/{episode['id']}"
    found = acting.find("Consent", ("data", reference))
    return [one for one in found if _takes_part(one, patient, reference)]


def is_withdrawn(consents: Iterable[Resource], now: datetime) -> bool:
    """Whether a consent was taken back, or is over, and no other one holds now.

    Where none was ever given nothing is withdrawn: data comes from somewhere.
    """
    known = list(consents)
    return any(_denies(one, now) for one in known) and not any(
        _permits(one, now) for one in known
    )


def changes_at(consent: Mapping[str, Any]) -> datetime | None:
    """Tell the moment from which a consent does not allow any more what it did before.

    ``None``: there is none, or it would be beyond the calendar. It may be over.
    """
    if not episodes_of(consent) or consent.get("status") != "active":
        return None
    start, end = _period(consent)
    permits = consent["provision"].get("type", "permit") == "permit"
    moment = end if permits else start
    # An end is the last moment that belongs to it, and clocks here tell milliseconds.
    return moment + _NEXT if moment is not None and moment < LAST else None


def episodes_of(consent: Mapping[str, Any]) -> set[str]:
    """Tell the episodes of care that a consent to take part is about."""
    if PARTICIPATE not in _categories(consent):
        return set()
    return {one for one in _data(consent) if one.startswith("EpisodeOfCare/")}


def _takes_part(consent: Mapping[str, Any], patient: Any, reference: str) -> bool:
    """Whether a consent is one of this patient, about this episode of care."""
    is_theirs = consent.get("patient", {}).get("reference") == patient
    return is_theirs and reference in episodes_of(consent)


def _permits(consent: Mapping[str, Any], now: datetime) -> bool:
    return (
        consent.get("status") == "active"
        and consent.get("provision", {}).get("type", "permit") == "permit"
        and _holds(consent, now)
    )


def _denies(consent: Mapping[str, Any], now: datetime) -> bool:
    """Whether a consent says no; one that begins later says nothing yet."""
    if consent.get("status") in _TAKEN_BACK:
        return True
    provision = consent.get("provision", {})
    if consent.get("status") != "active":
        return False
    _, end = _period(consent)
    if provision.get("type", "permit") == "permit":
        return end is not None and end < now
    return _holds(consent, now)


def _categories(consent: Mapping[str, Any]) -> set[str]:
    return {
        str(coding.get("code"))
        for category in consent.get("category", ())
        for coding in category.get("coding", ())
    }


def _data(consent: Mapping[str, Any]) -> Iterator[str]:
    for one in consent.get("provision", {}).get("data", ()):
        yield str(one.get("reference", {}).get("reference", ""))


def _holds(consent: Mapping[str, Any], now: datetime) -> bool:
    start, end = _period(consent)
    return (start is None or start <= now) and (end is None or now <= end)


def _period(consent: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    """Tell from when to when a consent holds; a day is one of the Danish calendar."""
    period = consent.get("provision", {}).get("period", {})
    return first_of(period.get("start"), DANISH), last_of(period.get("end"), DANISH)
