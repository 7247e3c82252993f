"""FHIR read and vread: https://hl7.org/fhir/R4/http.html#read, #vread, #cread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fyr.core.context import RequestContext
from fyr.core.errors import Gone, NotFound
from fyr.core.interactions.answer import Answer
from fyr.core.interactions.judge import judge_current, judge_version
from fyr.core.interactions.looking import Looking
from fyr.core.interactions.service_profiles import require_own
from fyr.core.interactions.show import is_touched, shown
from fyr.core.interactions.telling import shown_of, tell
from fyr.core.store.port import Stored

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions


def read(
    interactions: Interactions,
    context: RequestContext,
    if_none_match: Sequence[str] | None,
    if_modified_since: int | None,
) -> Answer:
    """Answer the current version, or 304 when the client has it already."""
    interactions.admit(context)
    kind, identity = context.resource_type or "", context.resource_id or ""
    look = Looking(interactions) if interactions.hooks.authorize_resource else None
    if look is None:
        stored = interactions.resources.read(kind, identity)
    else:
        stored = look.head(context, kind, identity)
    if stored is None:
        raise NotFound(f"no {kind}/{identity}")
    if context.service.types[kind].only_profiles:
        require_own(interactions, context, stored)
    body = stored.body
    if look is not None:
        judge_current(interactions, context, stored, look)
    if body is None:
        raise _gone(stored)
    if _seen(stored, if_none_match, if_modified_since):
        answer = Answer(304, None, stored)
    else:
        if is_touched(interactions, context):
            body = shown(interactions, context, body)
        answer = Answer(200, body, stored)
    if interactions.hooks.answered:
        tell(interactions, context, shown_of([stored]))
    return answer


def vread(interactions: Interactions, context: RequestContext, version: str) -> Answer:
    """Answer one version."""
    interactions.admit(context)
    kind, identity = context.resource_type or "", context.resource_id or ""
    stored = None
    if version.isascii() and version.isdigit() and len(version) < 10:
        stored = interactions.resources.vread(kind, identity, int(version))
    if stored is None or str(stored.version) != version:
        raise NotFound(f"no version {version[:64]} of {kind}/{identity}")
    if context.service.types[kind].only_profiles:
        newest = interactions.resources.read(kind, identity)
        # What has become another service's takes its past along.
        require_own(interactions, context, stored, newest or stored)
    if interactions.hooks.authorize_resource:
        judge_version(interactions, context, stored)
    if stored.body is None:
        raise _gone(stored)
    answer = Answer(200, shown(interactions, context, stored.body), stored)
    if interactions.hooks.answered:
        tell(interactions, context, shown_of([stored]))
    return answer


def _seen(
    stored: Stored, if_none_match: Sequence[str] | None, if_modified_since: int | None
) -> bool:
    """Whether the client has this version; versions decide over the instant."""
    if if_none_match is not None:
        return "*" in if_none_match or str(stored.version) in if_none_match
    # The header knows whole seconds only.
    return if_modified_since is not None and (
        stored.updated // 1000 <= if_modified_since // 1000
    )


def _gone(stored: Stored) -> Gone:
    text = f"{stored.type}/{stored.id} was deleted, in version {stored.version}"
    return Gone(text, headers={"ETag": f'W/"{stored.version}"'})
