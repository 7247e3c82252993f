"""How long rights count that nobody can ask about: until their owner has to show them again.

A token is not kept, so that a privilege was withdrawn is not told here. So the rights that
a subscription speaks with hold for some days from when its owner was here with all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fyr.core import Principal, Session
from fyr.core.clock import to_millis

if TYPE_CHECKING:
    from fyr.core.clock import Clock
    from fyr.core.store.port import Database
    from fyr.plugins.subscriptions.rows import Owner

_DAY_MILLIS = 24 * 3600 * 1000
#: Less than this is not worth a write.
_OFTEN_MILLIS = 3600 * 1000
_SEEN = """
    INSERT INTO subscription_rights (id, seen) VALUES (?, ?)
    ON CONFLICT (id) DO UPDATE SET seen = excluded.seen
"""
_FIRST = """
    INSERT INTO subscription_rights (id, seen)
    SELECT s.id, ? FROM subscription s WHERE NOT EXISTS
        (SELECT 1 FROM subscription_rights r WHERE r.id = s.id)
"""
_WHEN = "SELECT seen FROM subscription_rights WHERE id = ?"
_OVER = """
    SELECT r.id FROM subscription_rights r JOIN subscription s ON s.id = r.id
    WHERE r.seen <= ? AND s.status IN ('requested', 'active', 'error')
"""


class Rights:
    """When owners showed their rights."""

    def __init__(self, database: Database, clock: Clock, days: float) -> None:
        """Take for how many days they count then; 0 is for good."""
        self._database = database
        self._clock = clock
        self.days = days

    def shown(self, session: Session, id: str) -> None:
        """Note that a subscription was written: what counts are the rights of now."""
        session.run(_SEEN, (id, to_millis(self._clock())))

    def confirm(
        self, id: str, owner: Owner, principal: Principal, session: Session | None
    ) -> None:
        """Note that an owner is here, if it has all rights that it had then.

        A token with fewer says nothing: it may have been asked for with fewer.
        """
        if not holds(principal, owner.principal):
            return
        now = to_millis(self._clock())
        seen = (session or self._database).rows(_WHEN, (id,))
        if seen and now - seen[0][0] < _OFTEN_MILLIS:
            return
        if session is not None:
            self.shown(session, id)
        else:
            self._database.write(lambda own: self.shown(own, id))

    def over(self) -> list[str]:
        """Tell the subscriptions whose owners have not shown their rights for too long.

        Those that nobody has noted yet count from now on.
        """
        if not self.days:
            return []
        now = to_millis(self._clock())
        self._database.write(lambda session: session.run(_FIRST, (now,)))
        since = now - int(self.days * _DAY_MILLIS)
        return [str(row[0]) for row in self._database.rows(_OVER, (since,))]


def holds(principal: Principal, rights: Principal) -> bool:
    """Tell whether a principal has all that another had."""
    return (
        rights.privileges <= principal.privileges
        and rights.scopes <= principal.scopes
        and dict(rights.context) == dict(principal.context)
    )
