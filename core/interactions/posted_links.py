"""Links of a search by form: they show none of its criteria, which may name a person.

Who posts criteria keeps them out of URLs, which proxies, browsers and logs write down. So
links hold them sealed: https://hl7.org/fhir/R4/http.html#search
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fyr.core.errors import FyrError
from fyr.core.searching import CURSOR, POSTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fyr.core.context import RequestContext
    from fyr.core.searching import SearchEngine

    Pairs = Sequence[tuple[str, str]]

#: Of words that are written down anyway: about how the answer looks.
_CLEAR = frozenset(
    [*"_format _pretty _summary _elements _count _total _sort".split(), CURSOR]
)


def open_posted(
    engine: SearchEngine, context: RequestContext, place: str
) -> FyrError | None:
    """Put in place of what links hold sealed what it says.

    :param place: path of the search below the base URL.
    :return: why it cannot be opened.
    """
    sealed = [value for name, value in context.params if name == POSTED]
    if not sealed:
        return None
    try:
        opened = tuple(
            pair
            for one in sealed
            for pair in engine.unseal(_named(context, place), one)
        )
    except FyrError as error:
        return error
    context.posted += opened
    rest = tuple(pair for pair in context.params if pair[0] != POSTED)
    context.params = (*opened, *rest)
    return None


def sealed_pairs(
    engine: SearchEngine,
    context: RequestContext,
    place: str,
    pairs: Iterable[tuple[str, str]],
) -> list[tuple[str, str]]:
    """Seal those of some pairs that came in the body of a form."""
    posted = set(context.posted)
    given = [*pairs]
    hidden = [one for one in given if one in posted and one[0] not in _CLEAR]
    clear = [one for one in given if one not in hidden]
    if not hidden:
        return clear
    return [(POSTED, engine.seal(_named(context, place), hidden)), *clear]


def understood(sent: Pairs, narrowed: Pairs, used: Pairs) -> list[tuple[str, str]]:
    """Tell what a client has sent, without what was ignored and what plugins added.

    :param narrowed: what plugins have made of it.
    :param used: what of that the search engine understood, some of it in part.
    """
    asked, parts = set(narrowed), [pair for pair in used if pair not in narrowed]
    kept = []
    for pair in sent:
        if pair in used or pair not in asked:
            kept.append(pair)
        else:
            kept += [one for one in parts if one[0] == pair[0]][:1]
    return kept


def _named(context: RequestContext, place: str) -> str:
    return f"{context.service.name} {place}"
