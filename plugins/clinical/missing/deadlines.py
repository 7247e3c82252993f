"""Which slots were missed, and when to look at a request again. Pure.

A slot is looked at twice: to remind, in its middle, and to miss it, an hour after its end.
The guide says that both happen, and not when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import islice
from typing import Final

from fyr.core.workflow.timing import DANISH, LAST, Kind, Occurrence, Slot, slots
from fyr.plugins.clinical.procedures.rows import count
from fyr.plugins.clinical.procedures.submissions import Submission

#: After the end of a slot: what was measured in time may come a little later.
GRACE: Final = timedelta(hours=1)
#: Slots that are looked through for one moment; where more lie over each other, nobody
#: could say which was missed.
_MOST: Final = 5_000

#: When a slot is looked at.
Moment = Callable[[Slot], datetime]


def deadline(slot: Slot) -> datetime:
    """Tell when a slot is missed."""
    return slot.end + GRACE


def reminder(slot: Slot) -> datetime:
    """Tell when a slot is reminded of: without length, at its moment."""
    return slot.start + (slot.end - slot.start) / 2


def due(
    occurrence: Occurrence,
    since: datetime,
    until: datetime,
    moment: Moment,
    zone: tzinfo = DANISH,
) -> list[Slot]:
    """Tell the slots to be looked at after one moment and up to another."""
    near = islice(slots(occurrence, since - GRACE, until, zone), _MOST)
    return [slot for slot in near if since < moment(slot) <= until]


def next_moment(
    occurrence: Occurrence, after: datetime, moment: Moment, zone: tzinfo = DANISH
) -> datetime | None:
    """Tell when a slot is to be looked at next; ``None``: there is nothing to look at."""
    if occurrence.kind is not Kind.RESOLVED:
        return None
    near = islice(slots(occurrence, after - GRACE, LAST, zone), _MOST)
    return next((moment(slot) for slot in near if moment(slot) > after), None)


def unmet(
    due_slots: Iterable[Slot],
    submitted: Sequence[Submission],
    fulfils: Callable[[Submission], bool] = lambda one: one.valid,
) -> Iterator[Slot]:
    """Tell the slots for which less was submitted than was to be.

    A measurement counts for its slot whatever version of the request it was made for.

    :param fulfils: whether a measurement for the slot counts.
    """
    for slot in due_slots:
        came = [
            one
            for one in submitted
            if (one.type, one.start, one.end) == (Kind.RESOLVED, slot.start, slot.end)
        ]
        if count(one for one in came if fulfils(one)) < slot.expected:
            yield slot
