"""Whether an episode of care goes on: by its status, and by the consent of its patient.

http://ehealth.sundhed.dk/cs/consent-category: ``PITEOC`` is to take part in an episode of
care. Only an active consent counts, within its period; one that denies goes before those
that were given before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Final

from fyr.core.workflow.timing import DANISH, LAST, first_of, last_of

if TYPE_CHECKING:
    from fyr.core import Acting, Resource

    _Edge = Callable[[object, tzinfo], datetime | None]

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
    theirs = (one for one in found.values() if _takes_part(one, patient, reference))
    return _lets(theirs, acting.now)


def consents_of(acting: Acting, episode: Resource) -> list[Resource]:
    """Find what the patient of an episode of care has said of taking part in it."""
    patient = episode.get("patient", {}).get("reference")
    reference = f"EpisodeOfCare/{episode['id']}"
    found = acting.find("Consent", ("data", reference))
    return [one for one in found if _takes_part(one, patient, reference)]


def is_withdrawn(consents: Iterable[Resource], now: datetime) -> bool:
    """Whether a consent was taken back, denied, or is over, and no other one holds now.

    Where none was ever given nothing is withdrawn: data comes from somewhere.
    """
    known = list(consents)
    return any(_says_no(one, now) for one in known) and not _lets(known, now)


def changes_at(consent: Mapping[str, Any]) -> datetime | None:
    """Tell the moment from which a consent does not allow any more what it did before.

    ``None``: there is none, or it would be beyond the calendar. It may be over.
    """
    if not episodes_of(consent) or consent.get("status") != "active":
        return None
    start, end = _period(consent)
    moment = end if _permits(consent) else start
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


def _lets(consents: Iterable[Resource], now: datetime) -> bool:
    """Whether a consent permits it now, and was given after all that deny it now."""
    holding = [
        one for one in consents if one.get("status") == "active" and _holds(one, now)
    ]
    given = [_said(one, first_of, now) for one in holding if _permits(one)]
    # Of one day both without a time: nobody is treated who may have said no last.
    denied = [_said(one, last_of, now) for one in holding if not _permits(one)]
    return bool(given) and (not denied or max(given) > max(denied))


def _says_no(consent: Mapping[str, Any], now: datetime) -> bool:
    """Whether a consent says no; one that begins later says nothing yet."""
    if consent.get("status") in _TAKEN_BACK:
        return True
    if consent.get("status") != "active":
        return False
    _, end = _period(consent)
    if _permits(consent):
        return end is not None and end < now
    return _holds(consent, now)


def _permits(consent: Mapping[str, Any]) -> bool:
    return bool(consent.get("provision", {}).get("type", "permit") == "permit")


def _said(consent: Mapping[str, Any], edge: _Edge, now: datetime) -> datetime:
    """Tell when a consent was given or denied; else when it was stored, or is being."""
    said = consent.get("dateTime") or consent.get("meta", {}).get("lastUpdated")
    return edge(said, DANISH) or now


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
