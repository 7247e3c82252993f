"""What comes of a consent that is withdrawn or runs out: the episode of care pauses.

Care does not go on without the consent that it needed to begin, and does not end by itself
either: whoever is in charge asks the citizen, and ends it, or has it go on once there is a
consent again. Citizen and care teams are told by the message that each change of status is.

A change of a consent is looked at by a consumer. A durable timer waits for the moment at
which one runs out, or at which one that denies begins; a second consumer arms it, also for
the consents that are there when a server first has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from fyr.core import Consumer, Timer
from fyr.plugins.clinical.episodes import (
    changes_at,
    consents_of,
    episodes_of,
    is_withdrawn,
)

if TYPE_CHECKING:
    from fyr.core import Acting, Change, Fired, Resource, Session
    from fyr.core.events.consumers import Note
    from fyr.plugins.clinical.parts import Room

#: Unique in the deployment: the cursor of the first consumer is kept under it.
NAME: Final = "clinical.consents"
#: The timer, and the consumer that arms it.
PERIODS: Final = "clinical.consent-periods"


def consumers(room: Room) -> Iterable[Consumer]:
    """Make the consumers that look at each change of a consent."""
    types = frozenset({"Consent"})
    yield Consumer(NAME, partial(_paused, room), types)
    yield Consumer(PERIODS, partial(_waited_for, room), types, from_start=True)


def timer() -> Timer:
    """Make the timer of a consent that is to hold no longer."""

    def fire(acting: Acting, fired: Fired) -> None:
        _pause(acting, episodes_of(acting.read(fired.subject) or {}))

    return Timer(PERIODS, fire, acts_on=_pausing)


def _pausing(acting: Acting, resource: Resource) -> Iterator[str]:
    """Tell the consents of an episode of care, whose timers may pause it."""
    if resource["resourceType"] == "EpisodeOfCare":
        yield from (f"Consent/{one['id']}" for one in consents_of(acting, resource))


def _paused(room: Room, change: Change) -> Note | None:
    about = episodes_of(change.rough_new or {})
    if not about:
        return None

    def note(session: Session) -> None:
        room.application.act_within(session, lambda acting: _pause(acting, about))

    return note


def _waited_for(room: Room, change: Change) -> Callable[[Session], None]:
    """Have the timer of a consent wait for when it holds no longer, or for nothing."""
    subject = change.subject

    def follow(acting: Acting) -> None:
        timers = room.application.timers
        at = changes_at(acting.read(subject) or {})
        if at is None:
            timers.disarm(acting.session, PERIODS, subject)
        else:
            # One that has passed meanwhile fires at once.
            timers.arm(acting.session, PERIODS, subject, at)

    return lambda session: room.application.act_within(session, follow)


def _pause(acting: Acting, episodes: set[str]) -> None:
    """Put those on hold that go on without a consent that holds."""
    paused = [
        {**episode, "status": "onhold"}
        for episode in acting.hold(*sorted(episodes))
        if episode is not None
        and episode.get("status") == "active"
        and is_withdrawn(acting, consents_of(acting, episode))
    ]
    if paused:
        acting.store(paused)
