"""FHIR search: https://hl7.org/fhir/R4/http.html#search, #searchset.

What a query means is the search engine's; here is who may ask it, and the Bundle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from fyr.config.neighbours import neighbour
from fyr.core.context import RequestContext
from fyr.core.errors import Invalid, MethodNotAllowed, NotFound, NotSupported
from fyr.core.errors.catalogue import broken_rule
from fyr.core.interactions.answer import Answer
from fyr.core.interactions.containing import require_may_look_inside
from fyr.core.interactions.explaining import (
    EXPLAIN,
    explains,
    explanation,
    require_may_explain,
)
from fyr.core.interactions.judge import judge_of_search, only_seen
from fyr.core.interactions.outcomes import outcome
from fyr.core.interactions.pages import Link, bundle_of, search_entry
from fyr.core.interactions.posted_links import open_posted, sealed_pairs, understood
from fyr.core.interactions.show import full_url, is_touched, shown
from fyr.core.interactions.telling import shown_of, tell
from fyr.core.model import json
from fyr.core.searching import CURSOR, SearchPage
from fyr.core.store.port import Session, Stored

if TYPE_CHECKING:
    from fyr.core.declarations.services import TypeRules
    from fyr.core.errors import FyrError
    from fyr.core.interactions import Interactions
    from fyr.core.searching import Judge, SearchAsked, SearchEngine

Pairs = Sequence[tuple[str, str]]

#: How the answer is written; nothing that a search engine would have to know.
FORMS = frozenset({"_format", "_pretty"})
_NOT_ASKED = FORMS | {EXPLAIN}


def search(interactions: Interactions, context: RequestContext) -> Answer:
    """Answer one page of what the parameters find."""
    engine = interactions.engine
    # Before plugins look at what is asked; what is wrong with it is told after them.
    wrong = open_posted(engine, context, _path(context)) if engine else None
    interactions.admit(context)
    if engine is None:
        raise NotSupported("this server has no search")
    if wrong is not None:
        raise wrong
    _refuse_strange_owner(context)
    kind = context.resource_type
    explained = explains(context.params)
    if explained:
        require_may_explain(interactions.settings, context)
    sent: Pairs = [pair for pair in context.params if pair[0] not in _NOT_ASKED]
    params = sent
    if interactions.hooks.narrow_search:
        params = interactions.hooks.narrow_search(
            context=context, resource_type=kind, params=[*sent]
        )
    require_may_look_inside(interactions, context, sent, params)
    seconds = interactions.settings.search.timeout_seconds
    if explained:
        return _explained(interactions, engine, context, params, seconds)
    page = interactions.database.read(
        lambda session: _page(interactions, engine, session, context, params),
        seconds=seconds,
    )
    body = bundle_of(
        "searchset",
        _entries(interactions, context, page),
        total=page.total,
        links=_links(engine, context, understood(sent, params, page.used), page),
    )
    if interactions.hooks.answered:
        tell(interactions, context, shown_of([*page.matches, *page.included]))
    return Answer(200, body, issues=tuple(page.issues))


def _explained(
    interactions: Interactions,
    engine: SearchEngine,
    context: RequestContext,
    params: Pairs,
    seconds: float,
) -> Answer:
    """Answer how a search is understood and made."""
    if interactions.hooks.answered:
        tell(interactions, context)
    return explanation(
        interactions.database.read(
            lambda session: engine.explain(
                session,
                context,
                context.resource_type,
                params,
                _judge(interactions, session, context, params),
            ),
            seconds=seconds,
        )
    )


def _page(
    interactions: Interactions,
    engine: SearchEngine,
    session: Session,
    context: RequestContext,
    params: Pairs,
) -> SearchPage:
    judge = _judge(interactions, session, context, params)
    page = engine.search(session, context, context.resource_type, params, judge)
    if page.included and interactions.hooks.authorize_resource:
        return only_seen(interactions.within(session), context, page)
    return page


def _judge(
    interactions: Interactions, session: Session, context: RequestContext, params: Pairs
) -> Judge | None:
    """Give what decides about a search: plugins, then what the service asks it to give."""
    access = judge_of_search(interactions, session, context)
    rules = context.service.types.get(context.resource_type or "")
    if rules is None or not rules.search_needs:
        return access

    def judged(asked: SearchAsked) -> None:
        if access is not None:
            access(asked)
        given = {name.split(":")[0].split(".")[0] for name, value in params if value}
        if "_filter" in given:
            given |= {name for _, name in asked.touched}
        if rules.search_needs.isdisjoint(given):
            raise _needing(rules)

    return judged


def _needing(rules: TypeRules) -> FyrError:
    if rules.search_refused is not None:
        return rules.search_refused.error()
    names = ", ".join(sorted(rules.search_needs))
    return Invalid([broken_rule(f"a search gives one of these: {names}")])


def _refuse_strange_owner(context: RequestContext) -> None:
    """Refuse the compartment of a type that the service does not have, or any.

    :raises NotFound: it does not have the type.
    :raises MethodNotAllowed: it offers no compartments.
    """
    owner = context.compartment[0] if context.compartment else None
    if owner is not None and owner not in context.service.types:
        hint = neighbour(owner, context.service.types)
        raise NotFound(f"no resource type {owner[:80]} at this service{hint}")
    if owner is not None and not context.service.compartments:
        raise MethodNotAllowed("compartments are not searched at this service")


def page_url(
    context: RequestContext, path: str, params: Iterable[tuple[str, str]]
) -> str:
    """Tell the URL of a page.

    :param path: below the base URL, such as ``Patient`` or ``Patient/1/_history``.
    """
    base = "/".join(part for part in (context.base_url, path) if part)
    query = urlencode(list(params), quote_via=quote, safe="/:|,$")
    return f"{base}?{query}" if query else base


def forms_of(context: RequestContext) -> list[tuple[str, str]]:
    """Tell the parameters of how an answer is written, for the links of its pages."""
    return [pair for pair in context.params if pair[0] in FORMS]


def _entries(
    interactions: Interactions, context: RequestContext, page: SearchPage
) -> Iterator[bytes]:
    if page.seats:
        yield from _contained(interactions, context, page)
    else:
        yield from _found(interactions, context, page.matches, "match")
    yield from _found(interactions, context, page.included, "include")
    if page.issues:
        yield search_entry("", json.dump(outcome(page.issues)), "outcome")


def _contained(
    interactions: Interactions, context: RequestContext, page: SearchPage
) -> Iterator[bytes]:
    """Write matches of which some are inside of what is stored.

    Taken from what may be seen of that; what is hidden there is hidden here.
    """
    for stored, seat in zip(page.matches, page.seats, strict=True):
        if seat is None:
            yield from _found(interactions, context, [stored], "match")
            continue
        inside = json.own(stored.body or b"")["contained"][seat].get("id", "")
        whole = json.own(shown(interactions, context, stored.body or b""))
        for one in whole.get("contained", ()):
            if one.get("id", "") == inside:
                url = f"{full_url(context, stored.type, stored.id)}#{inside}"
                yield search_entry(url, json.dump(one), "match")
                break


def _found(
    interactions: Interactions,
    context: RequestContext,
    found: Iterable[Stored],
    mode: str,
) -> Iterator[bytes]:
    touched = is_touched(interactions, context)
    for stored in found:
        body = stored.body or b""
        if touched:
            body = shown(interactions, context, body)
        yield search_entry(full_url(context, stored.type, stored.id), body, mode)


def _links(
    engine: SearchEngine, context: RequestContext, pairs: Pairs, page: SearchPage
) -> list[Link]:
    path = _path(context)
    used = sealed_pairs(engine, context, path, [*pairs, *forms_of(context)])
    links = [("self", page_url(context, path, used))]
    if page.next is not None:
        rest = [pair for pair in used if pair[0] != CURSOR]
        links.append(("next", page_url(context, path, [*rest, (CURSOR, page.next)])))
    return links


def _path(context: RequestContext) -> str:
    if context.compartment is None:
        return context.resource_type or ""
    return "/".join([*context.compartment, context.resource_type or "*"])
