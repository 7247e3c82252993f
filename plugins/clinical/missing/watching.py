"""Durable timers: one for each active request and purpose, armed for the next slot.

A consumer arms them when a request changes; each arms itself again when it has fired, in
the transaction of what it has found. Requests may wait in plans and episodes of care that
are not active: their slots pass in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import structlog

from fyr.core import Acting, Change, Consumer, Fired, Resource, Session, Timer
from fyr.core.workflow.timing import Occurrence, Slot, occurrence_of
from fyr.plugins.clinical.activities import Switches, any_code_of
from fyr.plugins.clinical.extensions import EPISODE_OF_CARE, reference_of
from fyr.plugins.clinical.missing import telling
from fyr.plugins.clinical.missing.deadlines import (
    Moment,
    deadline,
    due,
    next_moment,
    reminder,
    unmet,
)
from fyr.plugins.clinical.procedures.submissions import (
    MEASURED,
    Submission,
    submissions_of,
)
from fyr.plugins.clinical.references import reference_to
from fyr.plugins.clinical.tasks.plans import care_plans_of
from fyr.plugins.clinical.tasks.submission import Measured

if TYPE_CHECKING:
    from fyr.plugins.clinical.parts import Room

log = structlog.get_logger(__name__)

#: How much later the moment of a slot may be than that of its timer, which is rounded.
_ROUNDED: Final = timedelta(milliseconds=1)

#: Says that a slot was not met; the last one tells the event.
Tell = Callable[["Room", Acting, Measured, Slot], None]


@dataclass(frozen=True, slots=True)
class Purpose:
    """What slots are looked at for."""

    #: of the timer
    name: str
    moment: Moment
    tell: Tell
    #: whether slots of activities with a code are looked at for it
    wanted: Callable[[Switches], bool]


PURPOSES: Final = (
    Purpose(
        "clinical.missing-measurement",
        deadline,
        telling.missed,
        attrgetter("missing"),
    ),
    Purpose(
        "clinical.measurement-reminder",
        reminder,
        telling.reminded,
        attrgetter("reminder"),
    ),
)


def consumers(room: Room) -> Iterable[Consumer]:
    """Offer the consumer that arms the timers."""
    yield Consumer(
        "clinical.missing",
        Watching(room).handle,
        types=frozenset({"ServiceRequest"}),
        from_start=True,
    )


def timers(room: Room) -> Iterable[Timer]:
    """Offer a kind of timer for each purpose."""
    watching = Watching(room)
    for purpose in PURPOSES:
        yield Timer(
            purpose.name,
            partial(watching.fire, purpose),
            refused=partial(watching.refused, purpose),
        )


class Watching:
    """Watches the slots of active requests."""

    def __init__(self, room: Room) -> None:
        """Take where the application is found, once it stands."""
        self._room = room

    def handle(self, change: Change) -> Callable[[Session], None] | None:
        """Arm or disarm the timers of a request that has changed."""
        return partial(self._follow, change.subject)

    def _follow(self, subject: str, session: Session) -> None:
        """Have the timers of a request be those that it needs now."""
        application = self._room.application
        now = application.clock()

        def work(acting: Acting) -> None:
            request = acting.read(subject)
            for purpose in PURPOSES:
                occurrence = _watched(purpose, request)
                # Whoever waits since longer has not looked at all of it yet.
                since = min([now, *self._waiting(purpose.name, subject)])
                self._arm(acting, purpose, subject, occurrence, since)

        application.act_within(session, work)

    def _waiting(self, name: str, subject: str) -> list[datetime]:
        waiting = self._room.application.timers.of(subject)
        return [
            datetime.fromisoformat(one.fired().payload["since"])
            for one in waiting
            if one.name == name and not one.failed
        ]

    def fire(self, purpose: Purpose, acting: Acting, fired: Fired) -> None:
        """Look at the slots whose time has come, and wait for the next."""
        request = acting.read(fired.subject)
        occurrence = _watched(purpose, request)
        if request is None or occurrence is None:
            return
        since = datetime.fromisoformat(fired.payload["since"])
        # Not up to now: after a rest, what was planned in between comes in between.
        until = min(acting.now, fired.at + _ROUNDED)
        looked_at = due(occurrence, since, until, purpose.moment)
        measured = _around(acting, request) if looked_at else None
        if measured is not None:
            for slot in _unmet(acting, fired.subject, looked_at):
                purpose.tell(self._room, acting, measured, slot)
        self._arm(acting, purpose, fired.subject, occurrence, until)

    def refused(
        self, purpose: Purpose, acting: Acting, fired: Fired, error: Exception
    ) -> Any:
        """Go on with the next slots, where what was to be said of some was refused."""
        log.error("a slot was not told of", subject=fired.subject, exc_info=error)
        occurrence = _watched(purpose, acting.read(fired.subject))
        until = min(acting.now, fired.at + _ROUNDED)
        self._arm(acting, purpose, fired.subject, occurrence, until)
        return fired.payload

    def _arm(
        self,
        acting: Acting,
        purpose: Purpose,
        subject: str,
        occurrence: Occurrence | None,
        since: datetime,
    ) -> None:
        """Have a timer wait for the next slot, or none."""
        waiting = self._room.application.timers
        at = next_moment(occurrence, since, purpose.moment) if occurrence else None
        if at is None:
            waiting.disarm(acting.session, purpose.name, subject)
        else:
            told = {"since": since.isoformat()}
            waiting.arm(acting.session, purpose.name, subject, at, told)


def _watched(purpose: Purpose, request: Resource | None) -> Occurrence | None:
    """Tell when a request is to be met; ``None``: nobody waits for that."""
    if request is None or request.get("status") != "active":
        return None
    wanted = any_code_of(request.get("code", {}), purpose.wanted)
    return occurrence_of(request) if wanted else None


def _around(acting: Acting, request: Resource) -> Measured | None:
    """Read plan and episode of a request; ``None``: one of them is not active."""
    episode = acting.read(reference_of(request, EPISODE_OF_CARE) or "")
    if episode is None or episode.get("status") != "active":
        return None
    for one in care_plans_of(acting, reference_to(request)):
        plan = acting.read(one)
        if plan is not None and plan.get("status") == "active":
            return Measured((), request, plan, episode)
    return None


def _unmet(acting: Acting, request: str, looked_at: Sequence[Slot]) -> list[Slot]:
    """Tell which slots were not met, by what was submitted for them."""
    first = min(slot.start for slot in looked_at).isoformat()
    last = max(slot.start for slot in looked_at).isoformat()
    submitted = [
        one
        for kind in MEASURED
        for resource in acting.scan(
            kind,
            ("based-on", request),
            ("resolvedTimingStart", f"ge{first}"),
            ("resolvedTimingStart", f"le{last}"),
        )
        for one in submissions_of(resource)
        if one.request == request
    ]
    return list(unmet(looked_at, submitted, partial(_fulfils, acting)))


def _fulfils(acting: Acting, submission: Submission) -> bool:
    """Whether a measurement counts: one that was invalidated may, if it says so."""
    return submission.valid or telling.fulfils_still(acting, submission.reference)
