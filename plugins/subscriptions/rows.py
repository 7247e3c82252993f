"""What the rows of subscriptions say: how each stands, who wrote it, what it is told."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field

from fyr.core import Principal, Resource
from fyr.core.context import ANONYMOUS

#: States in which a subscription is told.
TOLD = ("active", "error")
#: Body of one that was deleted: its row stays, as its numbers are not given again.
DELETED = "{}"
_SETS = ("privileges", "scopes", "tags")
_NAMES = ("user_type", "user_id", "issuer")


@dataclass(frozen=True, slots=True)
class Owner:
    """Who wrote a subscription last: all that is told is what this principal may see."""

    principal: Principal
    #: name of the service that it came to, and the base URL that it saw
    service: str
    base_url: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells of two whether they may see the same, and see it alike."""
        return (principal_json(self.principal), self.service, self.base_url)

    def is_of(self, principal: Principal) -> bool:
        """Whether a principal is this one, by name and issuer."""
        mine = self.principal
        return all(getattr(principal, one) == getattr(mine, one) for one in _NAMES)


@dataclass(frozen=True, slots=True)
class Row:
    """A subscription as it stands; times in milliseconds since 1970, UTC."""

    id: str
    #: of the resource, when it was read last
    version: int
    status: str
    body: str
    #: place in the outbox of the change that made it active: what follows is told
    since: int
    #: number of the last event
    events: int
    #: number of the last event that was taken
    sent: int
    #: when something was taken last
    last_sent: int
    #: in a row
    failures: int
    error: str

    def resource(self) -> Resource:
        """Parse the resource."""
        found: Resource = json.loads(self.body)
        return found


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a subscription."""

    number: int
    position: int
    type: str
    id: str
    version: int
    method: str
    #: when it happened, in milliseconds
    at: int

    def key(self, subscription: str) -> str:
        """Give what no other event of any subscription has, repeats of it left out.

        Numbers and positions are given again once a store was put back from a backup;
        the time in it is another then.
        """
        return f"{subscription}-{self.position}.{self.at:x}"


@dataclass(frozen=True, slots=True)
class Found:
    """A change that subscriptions are told of."""

    position: int
    type: str
    id: str
    version: int
    method: str
    at: int
    subscriptions: tuple[str, ...] = field(default=())


def principal_json(principal: Principal) -> str:
    """Write a principal down."""
    told = asdict(principal)
    told |= {name: sorted(told[name]) for name in _SETS}
    told["context"] = dict(principal.context)
    return json.dumps(told, sort_keys=True)


def principal_of(text: str) -> Principal:
    """Read what :func:`principal_json` wrote."""
    told = json.loads(text)
    sets = {name: frozenset(told[name]) for name in _SETS}
    found = Principal(**{**told, **sets})
    # The caller of a server in open mode is known by being this very object.
    return ANONYMOUS if found == ANONYMOUS else found


def room_of(id: str, owner: Owner) -> str:
    """Name what a websocket is bound to: a subscription as long as its owner has it."""
    whose = hashlib.sha256("\n".join(owner.key).encode()).hexdigest()
    return f"{id} {whose}"
