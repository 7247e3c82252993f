"""FHIR history: https://hl7.org/fhir/R4/http.html#history.

Pages go backwards from a place between versions, so that what is written meanwhile
moves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fyr.core.clock import instant
from fyr.core.context import RequestContext
from fyr.core.errors import (
    FyrError,
    Invalid,
    Issue,
    NotFound,
    NotSupported,
    Refused,
)
from fyr.core.interactions.answer import Answer
from fyr.core.interactions.judge import seen_versions
from fyr.core.interactions.moments import Span, span_of
from fyr.core.interactions.outcomes import joined
from fyr.core.interactions.pages import (
    Link,
    bundle_of,
    history_entry,
    response_of,
)
from fyr.core.interactions.searching import FORMS, page_url
from fyr.core.interactions.show import full_url, shown
from fyr.core.interactions.telling import shown_of, tell
from fyr.core.searching import CURSOR
from fyr.core.store.port import Stored

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions

#: ``updated``, ``pid`` and ``version`` of the last version of the page before
Cursor = tuple[int, int, int]
_CURSOR = re.compile(r"([0-9]{1,16})\.([0-9]{1,18})\.([0-9]{1,9})", re.ASCII)
#: Versions that are looked at to count those that may be seen.
_MOST_COUNTED = 10_000
#: REST's own: what the answer is to hold of each resource.
_VIEWS = FORMS | {"_summary", "_elements"}


@dataclass(slots=True)
class _Asked:
    """What the parameters of a history say."""

    count: int
    since: int | None = None
    at: Span | None = None
    before: Cursor | None = None


def history(interactions: Interactions, context: RequestContext) -> Answer:
    """Answer a page of versions of one resource, of a type, or of all."""
    interactions.admit(context)
    asked, issues = _asked(interactions, context)
    kind, identity = context.resource_type, context.resource_id
    if (
        identity is not None
        and interactions.resources.read(kind or "", identity) is None
    ):
        raise NotFound(f"no {kind}/{identity}")
    judged = bool(interactions.hooks.authorize_resource)
    if dict(context.params).get("_summary") == "count":
        return _counted(interactions, context, asked, issues)
    found = interactions.resources.history(
        type=kind,
        id=identity,
        since=asked.since,
        at=asked.at,
        before=asked.before,
        # One more than is shown tells whether there is a next page.
        count=asked.count + 1,
    )
    page = list(found)[: asked.count]
    more = len(found) > asked.count
    last = page[-1] if more else None
    whole = not more and asked.before is None
    if judged:
        seen = seen_versions(interactions, context, page)
        # A total would tell how many were left out.
        whole, page = whole and len(seen) == len(page), seen
    body = bundle_of(
        "history",
        _entries(interactions, context, page),
        total=len(page) if whole else None,
        links=_links(context, last),
    )
    if interactions.hooks.answered:
        tell(interactions, context, shown_of(page))
    return Answer(200, body, issues=tuple(issues))


def _counted(
    interactions: Interactions,
    context: RequestContext,
    asked: _Asked,
    issues: Sequence[Issue],
) -> Answer:
    """Answer how many versions there are, of those that may be seen."""
    kind, identity = context.resource_type, context.resource_id
    judged = bool(interactions.hooks.authorize_resource)
    if judged and identity is None:
        total = _count_seen(interactions, context, asked)
    else:
        if judged:
            seen_versions(interactions, context, ())
        total = interactions.resources.count_history(
            type=kind, id=identity, since=asked.since, at=asked.at
        )
    if interactions.hooks.answered:
        tell(interactions, context)
    counted = bundle_of("history", (), total=total, links=_links(context, None))
    return Answer(200, counted, issues=tuple(issues))


def _count_seen(
    interactions: Interactions, context: RequestContext, asked: _Asked
) -> int:
    """Count the versions that may be seen, by looking at each.

    :raises Refused: there are too many for that.
    """
    found = interactions.resources.history(
        type=context.resource_type,
        since=asked.since,
        at=asked.at,
        count=_MOST_COUNTED + 1,
    )
    if len(found) > _MOST_COUNTED:
        raise Refused(
            f"more than {_MOST_COUNTED} versions are not counted where it depends on"
            " each whether it may be seen: say _since, or read the pages"
        )
    return len(seen_versions(interactions, context, found))


def _asked(
    interactions: Interactions, context: RequestContext
) -> tuple[_Asked, list[Issue]]:
    """Understand the parameters.

    :raises Invalid: values that are none.
    :raises NotSupported: unknown parameters, unless the client is lenient.
    """
    asked = _Asked(interactions.settings.fhir.default_count)
    failures: list[tuple[str, FyrError]] = []
    ignored: list[Issue] = []
    for name, value in context.params:
        if name in _VIEWS:
            continue
        if name not in _READERS:
            text = f"history has no parameter {name[:100]}"
            ignored.append(Issue("not-supported", text, severity="warning"))
            continue
        try:
            field, read = _READERS[name]
            setattr(asked, field, read(name, value))
        except FyrError as error:
            failures.append(("", error))
    if ignored and context.handling != "lenient":
        strict = [Issue(one.code, one.diagnostics) for one in ignored]
        failures.append(("", NotSupported(strict)))
    if failures:
        raise joined(failures)
    asked.count = min(asked.count, interactions.settings.fhir.max_count)
    return asked, ignored


def _count(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit()) or not 0 < int(value[:9]):
        raise Invalid(f"{name} is to be a whole number from 1, not {value[:40]!r}")
    return int(value[:9])


def _since(name: str, value: str) -> int:
    return span_of(name, value)[0]


def _before(name: str, value: str) -> Cursor:
    match = _CURSOR.fullmatch(value)
    if match is None:
        raise Invalid(f"{name} is not from a link of this server")
    return int(match[1]), int(match[2]), int(match[3])


#: parameter -> the field it fills and how it is read
_READERS: dict[str, tuple[str, Any]] = {
    "_count": ("count", _count),
    "_since": ("since", _since),
    "_at": ("at", span_of),
    CURSOR: ("before", _before),
}


def _entries(
    interactions: Interactions, context: RequestContext, page: list[Stored]
) -> Iterator[bytes]:
    for stored in page:
        body = stored.body
        if body is not None:
            body = shown(interactions, context, body)
        status = 200 if stored.version > 1 else 201
        response = response_of(
            204 if stored.deleted else status,
            version=stored.version,
            updated=instant(stored.updated),
        )
        url = stored.type if stored.method == "POST" else f"{stored.type}/{stored.id}"
        full = full_url(context, stored.type, stored.id)
        yield history_entry(full, body, stored.method, url, response)


def _links(context: RequestContext, last: Stored | None) -> list[Link]:
    parts = [context.resource_type, context.resource_id, "_history"]
    path = "/".join(part for part in parts if part)
    kept = [pair for pair in context.params if pair[0] in _READERS or pair[0] in _VIEWS]
    links = [("self", page_url(context, path, kept))]
    if last is not None:
        cursor = f"{last.updated}.{last.pid}.{last.version}"
        rest = [pair for pair in kept if pair[0] != CURSOR]
        links.append(("next", page_url(context, path, [*rest, (CURSOR, cursor)])))
    return links
