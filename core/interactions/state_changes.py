"""Writes held against state machines: https://hl7.org/fhir/R4/workflow.html.

All writes of one call are judged before anything is done of what comes of them, so that
a guard sees them together and all that is wrong is told at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fyr.core.errors import FyrError
from fyr.core.store.port import Session

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions
    from fyr.core.interactions.writes import Begun
    from fyr.core.workflow.transition import Transition


def make_steps(
    interactions: Interactions,
    session: Session,
    begun: Sequence[Begun],
    failures: list[tuple[str, FyrError]],
) -> None:
    """Judge what writes do to states, and do what comes of it if none was refused.

    :param failures: what was refused before; what is refused now joins it.
    """
    together = {"/".join(one.write.key): one.new for one in begun}
    made: list[Transition] = []
    for one in begun:
        try:
            made += interactions.machines.transitions(
                interactions,
                one.write.context,
                session,
                one.old,
                one.new,
                one.updated,
                together,
            )
        except FyrError as error:
            failures.append((one.write.place, error))
    if not failures:
        for transition in made:
            interactions.machines.carry_out(transition)
