"""Whether an episode of care goes on: by its status, and by the consent of its patient.

http://ehealth.sundhed.dk/cs/consent-category: ``PITEOC`` is to take part in an episode of
care. Only an active consent counts, while it holds: within its period, and not before it
is dated. Where some permit and others deny at a moment, what was said last counts.
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
#: How far the clock of who dates a consent may be ahead.
_AHEAD = timedelta(minutes=5)
#: Versions that are looked at for when something was said.
_LOOKED_BACK: Final = 100
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
            # It has no version yet, whatever a client says of that.
            found[key] = {**resource, "meta": {"lastUpdated": acting.now.isoformat()}}
    theirs = (one for one in found.values() if _takes_part(one, patient, reference))
    return _lets(acting, theirs)


def consents_of(acting: Acting, episode: Resource) -> list[Resource]:
    """Find what the patient of an episode of care has said of taking part in it."""
    patient = episode.get("patient", {}).get("reference")
    reference = f"EpisodeOfCare/{episode['id']}"
    found = acting.find("Consent", ("data", reference))
    return [one for one in found if _takes_part(one, patient, reference)]


def is_withdrawn(acting: Acting, consents: Iterable[Resource]) -> bool:
    """Whether a consent was taken back, denied, or is over, and no other one holds now.

    Where none was ever given nothing is withdrawn: data comes from somewhere.
    """
    known = list(consents)
    no = any(_says_no(one, acting.now) for one in known)
    return no and not _lets(acting, known)


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


def _lets(acting: Acting, consents: Iterable[Resource]) -> bool:
    """Whether a consent permits it now, and was given after all that deny it now."""
    holding = [
        one
        for one in consents
        if one.get("status") == "active" and _holds(one, acting.now)
    ]
    permits = [one for one in holding if _permits(one)]
    denials = [one for one in holding if not _permits(one)]
    if not permits or not denials:
        return bool(permits)
    # Of one day both without a time: nobody is treated who may have said no last.
    given = max(_said(acting, one, first_of) for one in permits)
    return given > max(_said(acting, one, last_of) for one in denials)


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


def _said(acting: Acting, consent: Resource, edge: _Edge) -> datetime:
    """Tell when a consent last said anew what it says: by its date, else when stored.

    One that is changed in what it says, prolonged for one, says it anew then, unless it
    is dated anew, too. What is changed beside that says nothing.
    """
    first, meant = consent, _meant(consent)
    for older in _before(acting, consent):
        if older is None or _meant(older) != meant:
            if older and older.get("dateTime") == consent.get("dateTime"):
                return first_of(_stored(first)) or acting.now
            break
        first = older
    said = edge(consent.get("dateTime") or _stored(first), DANISH)
    return said or acting.now


def _before(acting: Acting, consent: Resource) -> Iterator[Resource | None]:
    """Go through the versions before one, the newest first; ``None``: it was deleted."""
    name = f"Consent/{consent['id']}"
    version = consent.get("meta", {}).get("versionId")
    last = int(version) - 1 if version else acting.version(name)
    for number in range(last, max(last - _LOOKED_BACK, 0), -1):
        yield acting.vread(f"{name}/_history/{number}")


def _meant(consent: Mapping[str, Any]) -> tuple[Any, ...]:
    names = ("status", "category", "patient", "provision")
    return tuple(consent.get(name) for name in names)


def _stored(consent: Mapping[str, Any]) -> Any:
    return consent.get("meta", {}).get("lastUpdated")


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
    """Tell from when to when a consent holds; a day is one of the Danish calendar.

    One that was dated ahead says nothing before its date.
    """
    period = consent.get("provision", {}).get("period", {})
    starts = [first_of(period.get("start"), DANISH)]
    dated, stored = (
        first_of(consent.get("dateTime"), DANISH),
        first_of(_stored(consent)),
    )
    if dated is not None and stored is not None and dated > stored + _AHEAD:
        starts.append(dated)
    start = max((one for one in starts if one is not None), default=None)
    return start, last_of(period.get("end"), DANISH)
