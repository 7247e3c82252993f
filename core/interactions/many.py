"""Many resources stored in one transaction, for imports: no Bundle around them.

Each goes the way of an entry of a transaction, with all hooks; what was received once need
not be again when its neighbour cannot be stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fyr.core.context import RequestContext
from fyr.core.interactions.entries import Entry
from fyr.core.interactions.transaction import Attempt, Plan, planned

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions
    from fyr.core.model.resource import Resource
    from fyr.core.store.port import Session


def received(
    interactions: Interactions,
    context: RequestContext,
    resource: Resource,
    criteria: str = "",
) -> Plan:
    """Admit one write, and check what it brings, before any transaction.

    :param context: of a create, or an update with an id or with criteria.
    :param criteria: that tell which resource is meant; empty: the id does.
    :raises fyr.core.errors.FyrError: it may not be stored, or is wrong.
    """
    method = "POST" if context.interaction == "create" else "PUT"
    plan = planned(
        interactions, Entry(0, method, context, resource=resource, query=criteria)
    )
    plan.write.place = ""
    return plan


def store(
    interactions: Interactions,
    plans: Sequence[Plan],
    also: Callable[[Session], None],
) -> None:
    """Store all of them, or none, and what else belongs to it.

    :param also: is run in the same transaction, again when that is repeated.
    :raises fyr.core.errors.FyrError: one of them cannot be stored.
    """

    def work(session: Session) -> None:
        Attempt(interactions, session, plans).answers()
        also(session)

    interactions.write(work)
