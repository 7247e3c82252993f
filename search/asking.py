"""What is asked and answered at the edge of the engine: types, words, a page."""

import re
from collections.abc import Sequence

from fyr.core.context import RequestContext
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.searching import SearchPage, SearchParameter
from fyr.core.store.port import Stored
from fyr.search.full_text.index import PARAMETERS as FULL_TEXT
from fyr.search.parameters import ON_THE_ROW, Parameter
from fyr.search.tree import Query

#: What stands between the parameters of a chain, and before a modifier.
_PARTS = re.compile("[.:]")


def included_types(parameter: Parameter) -> frozenset[str]:
    """Tell the types that an include by this parameter can bring."""
    if parameter.table != "idx_reference":
        return frozenset()
    return parameter.targets or RESOURCE_TYPES


def is_answered(parameter: Parameter, *, full_text: bool) -> bool:
    """Tell whether there is what answers a parameter.

    :param full_text: whether the server has an index of words.
    """
    if parameter.name in FULL_TEXT:
        return full_text
    return parameter.name in ON_THE_ROW or parameter.table is not None


def told(parameter: Parameter) -> SearchParameter:
    """Give a parameter as the server tells of it."""
    return SearchParameter(
        parameter.name,
        parameter.type,
        parameter.url,
        parameter.documentation,
        included_types(parameter),
    )


def searched(context: RequestContext) -> list[str]:
    """Tell the types that a search over all types is about."""
    return sorted(
        kind
        for kind in context.service.types
        if context.service.offers(kind, "search-type")
    )


def asks_for_words(query: Query) -> bool:
    """Tell whether a query is answered by the index of words, if only in part."""
    return any(not FULL_TEXT.isdisjoint(_PARTS.split(name)) for name, _ in query.used)


def page_of(
    query: Query,
    matches: Sequence[Stored],
    included: Sequence[Stored],
    total: int | None,
    following: str | None,
) -> SearchPage:
    """Give a page as it is told.

    :param following: the cursor of the next one.
    """
    return SearchPage(
        matches,
        included,
        total,
        used=tuple(query.used),
        next=following,
        issues=tuple(query.issues),
        show=query.show or None,
    )


def nobody(kind: str, seconds: float) -> None:
    """Hear of a search, and do nothing."""
