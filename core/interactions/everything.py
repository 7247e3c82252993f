"""All that a search would find, as one caller may see it: what exports are made of.

Found in one snapshot as pids with versions, which stay what they are, and read afterwards,
so that no transaction is as long as an export.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fyr.core.context import RequestContext
from fyr.core.errors import NotSupported
from fyr.core.interactions.judge import judge_of_search
from fyr.core.interactions.show import is_touched, shown

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions
    from fyr.core.searching import Extent
    from fyr.core.store.port import Session


def every(
    interactions: Interactions,
    session: Session,
    context: RequestContext,
    extent: Extent,
) -> Iterator[Sequence[tuple[int, int]]]:
    """Ask whether the caller may, then find pids with versions.

    :param context: a search on a type (``search-type``); afterwards it has the mask that
        plugins want put on what is shown.
    """
    interactions.admit(context)
    engine, kind = interactions.engine, context.resource_type
    if engine is None or kind is None:
        raise NotSupported("this server has no search")
    params: Sequence[tuple[str, str]] = context.params
    if interactions.hooks.narrow_search:
        params = interactions.hooks.narrow_search(
            context=context, resource_type=kind, params=[*params]
        )
    judge = judge_of_search(interactions, session, context)
    return engine.every(session, context, kind, params, extent, judge)


def shown_versions(
    interactions: Interactions,
    context: RequestContext,
    keys: Sequence[tuple[int, int]],
) -> Iterator[bytes | None]:
    """Read what was found, in the form in which the caller may see it.

    ``None`` for a version that has been removed since.
    """
    bodies = interactions.resources.bodies(keys)
    if not is_touched(interactions, context):
        return bodies
    return (
        None if body is None else shown(interactions, context, body) for body in bodies
    )
