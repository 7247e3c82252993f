"""What comes of a consent that is withdrawn: the episode of care pauses.

Care does not go on without the consent that it needed to begin, and does not end by itself
either: whoever is in charge asks the citizen, and ends it, or has it go on once there is a
consent again. Citizen and care teams are told by the message that each change of status is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fyr.core import Consumer
from fyr.plugins.clinical.episodes import consents_of, episodes_of, is_withdrawn

if TYPE_CHECKING:
    from fyr.core import Acting, Change, Session
    from fyr.core.events.consumers import Note
    from fyr.plugins.clinical.parts import Room

#: Unique in the deployment: its cursor is kept under it.
NAME: Final = "clinical.consents"


def consumer(room: Room) -> Consumer:
    """Make the consumer that looks at each change of a consent."""

    def handle(change: Change) -> Note | None:
        about = episodes_of(change.rough_new or {})
        if not about:
            return None

        def note(session: Session) -> None:
            room.application.act_within(session, lambda acting: _pause(acting, about))

        return note

    return Consumer(NAME, handle, frozenset({"Consent"}))


def _pause(acting: Acting, episodes: set[str]) -> None:
    """Put those on hold that go on without a consent that holds."""
    paused = [
        {**episode, "status": "onhold"}
        for episode in acting.hold(*sorted(episodes))
        if episode is not None
        and episode.get("status") == "active"
        and is_withdrawn(consents_of(acting, episode), acting.now)
    ]
    if paused:
        acting.store(paused)
