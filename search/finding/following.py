"""What a page includes: references followed from its matches, and to them.

https://hl7.org/fhir/R4/search.html#include. Each round follows all references of one
direction by one statement, from what the round before has brought; the first begins at
the matches, and later ones follow only what was asked for with ``:iterate``.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from fyr.core.errors import Issue
from fyr.core.store.port import Session, Stored
from fyr.core.store.versions import HEAD, stored
from fyr.search.finding.comparing import Sql, conjoined, joined, one_of
from fyr.search.finding.conditions import Conditions
from fyr.search.finding.matches import THEN, chosen
from fyr.search.references import target_of
from fyr.search.tree import Criterion, Include, Urls

#: Most resources that one page includes besides its matches.
MOST_INCLUDED = 1000
#: Most rounds: so many references lie between a match and what it includes.
MOST_ROUNDS = 20


@dataclass(slots=True)
class Included:
    """What was found, each resource once, and what was left out."""

    resources: list[Stored] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


def follow(
    session: Session,
    includes: Sequence[Include],
    matches: Sequence[Stored],
    limit: Criterion | None = None,
    relative: Callable[[str], str] = str,
) -> Included:
    """Read what a page includes, no match again.

    :param limit: what each of them has to meet; ``None``: nothing.
    :param relative: gives the relative form of own URLs, others as they are.
    """
    included = Included()
    met = None if limit is None else Conditions(session.dialect).met(limit, "r")
    seen = [one.pid for one in matches]
    begin, rules = list(matches), list(includes)
    for _ in range(MOST_ROUNDS):
        if not begin or not rules:
            return included
        literal = list(_literal(session, rules, begin, relative))
        more = _round(session, rules, begin, seen, literal, met, included)
        included.resources += more
        begin = more
        rules = [one for one in includes if one.iterate]
        if included.issues:
            return included
    if begin and rules:
        text = f"includes were followed through {MOST_ROUNDS} references and no further"
        included.issues.append(Issue("too-costly", text, severity="warning"))
    return included


def _round(
    session: Session,
    rules: Sequence[Include],
    begin: Sequence[Stored],
    seen: list[int],
    literal: Sequence[Sql],
    met: Sql | None,
    included: Included,
) -> list[Stored]:
    """Follow references once in each direction; what was found is seen from then on."""
    more: list[Stored] = []
    for reverse in (False, True):
        chosen_rules = [one for one in rules if one.reverse == reverse]
        if not chosen_rules:
            continue
        room = MOST_INCLUDED - len(included.resources) - len(more)
        # What has been seen is left out here: the statement stays the same.
        most = room + len(seen) + 1
        sql = included_sql(chosen_rules, begin, met, most, () if reverse else literal)
        rows = session.rows(sql.text, sql.values)
        known = set(seen)
        found = [stored(row) for row in rows if row[0] not in known]
        more += found[:room]
        seen += [one.pid for one in found[:room]]
        if len(found) > room:
            text = (
                f"more than {MOST_INCLUDED} resources would be included: the rest was"
                " left out; ask for smaller pages"
            )
            included.issues.append(Issue("too-costly", text, severity="warning"))
            break
    return more


def included_sql(
    rules: Iterable[Include],
    begin: Sequence[Stored],
    met: Sql | None,
    most: int,
    more: Sequence[Sql] = (),
) -> Sql:
    """Tell the statement of one direction.

    :param rules: all of one direction.
    :param begin: the resources that it begins at.
    :param more: other sets of resources to be included.
    :param met: what the row ``r`` of each has to meet; ``None``: nothing.
    """
    pids = [one.pid for one in begin]
    selected = list(more)
    onward = [one for one in rules if not one.reverse]
    if onward:
        selected.append(_referred(onward, pids))
    for one in rules:
        if one.reverse:
            selected += _referring(one, begin)
        if one.urls is not None:
            named = _named_by if one.reverse else _named
            selected.append(named(one, one.urls, pids))
    union = joined(selected or [_NOTHING], " UNION ALL ")
    parts = [Sql(f"r.pid IN ({union.text})", union.values), Sql("r.deleted = 0")]
    if met is not None:
        parts.append(met)
    wanted = conjoined(parts)
    return Sql(
        f"SELECT {HEAD} FROM resource r WHERE {wanted.text} ORDER BY r.pid LIMIT ?",
        (*wanted.values, most),
    )


def _links(rule: Include) -> Sql:
    """Say that a row of ``idx_reference`` is one of those to follow."""
    parts = [chosen(rule.sources, "x.")] if rule.sources else []
    if rule.target is not None:
        parts.append(Sql("x.target_type = ?", (rule.target,)))
    return conjoined(parts) if parts else Sql("1 = 1")


def _referred(rules: Sequence[Include], begin: Sequence[int]) -> Sql:
    links = conjoined((_links(one) for one in rules), " OR ")
    begun = one_of("x.pid", begin)
    return Sql(
        f"SELECT t.pid FROM idx_reference x {THEN} resource t WHERE {begun.text}"
        f" AND {links.text} AND t.type = x.target_type AND t.id = x.target_id",
        (*begun.values, *links.values),
    )


def _referring(rule: Include, begin: Sequence[Stored]) -> Iterator[Sql]:
    """Find what refers to resources, by their types and ids as the index has them."""
    ids: dict[str, list[str]] = {}
    for one in begin:
        if rule.target in (None, one.type):
            ids.setdefault(one.type, []).append(one.id)
    for kind, named in ids.items():
        sources = [
            one for one in rule.sources if one.only is None or kind in one.only[1]
        ]
        if sources or not rule.sources:
            numbers = [one.number for one in sources]
            parts = [one_of("x.param", numbers)] if numbers else []
            parts += [Sql("x.target_type = ?", (kind,)), one_of("x.target_id", named)]
            wanted = conjoined(parts)
            text = f"SELECT x.pid FROM idx_reference x WHERE {wanted.text}"
            yield Sql(text, wanted.values)


def _literal(
    session: Session,
    rules: Iterable[Include],
    begin: Sequence[Stored],
    relative: Callable[[str], str],
) -> Iterator[Sql]:
    """Follow canonical references that are the literal URLs of resources kept here.

    Which they are, depends on where the services are at present, and no index knows it.
    """
    begun = one_of("x.pid", [one.pid for one in begin])
    for rule in rules:
        if rule.urls is None or rule.reverse:
            continue
        links = chosen(rule.sources, "x.") if rule.sources else Sql("1 = 1")
        rows = session.rows(
            "SELECT DISTINCT x.target_id FROM idx_reference x"
            f" WHERE {begun.text} AND {links.text} AND x.target_type = ''"
            " AND x.target_id >= 'http' AND x.target_id < 'httq'",
            (*begun.values, *links.values),
        )
        ids: dict[str, list[str]] = {}
        for (url,) in rows:
            kind, identity = target_of(relative(url))
            if kind and rule.target in (None, kind):
                ids.setdefault(kind, []).append(identity)
        for kind, named in ids.items():
            wanted = conjoined([Sql("t.type = ?", (kind,)), one_of("t.id", named)])
            text = f"SELECT t.pid FROM resource t WHERE {wanted.text}"
            yield Sql(text, wanted.values)


#: Selects what is referred to by nothing.
_NOTHING = Sql("SELECT pid FROM resource WHERE 1 = 0")

#: A canonical that tells no version leads to all, one that does to that version.
_VERSION = (
    "(x.target_type = '' OR EXISTS (SELECT 1 FROM idx_token v WHERE v.pid = u.pid"
    " AND {} AND v.code = substr(x.target_type, 2)))"
)


def _named(rule: Include, urls: Urls, begin: Sequence[int]) -> Sql:
    """Follow canonical references to what is known by their URL."""
    begun, named = one_of("x.pid", begin), chosen(urls.urls, "u.")
    links = chosen(rule.sources, "x.") if rule.sources else Sql("1 = 1")
    version = chosen(urls.versions, "v.")
    return Sql(
        f"SELECT u.pid FROM idx_reference x {THEN} idx_uri u WHERE {begun.text}"
        f" AND {links.text} AND {named.text} AND u.value = x.target_id"
        f" AND {_VERSION.format(version.text)}",
        (*begun.values, *links.values, *named.values, *version.values),
    )


def _named_by(rule: Include, urls: Urls, begin: Sequence[int]) -> Sql:
    """Follow canonical references back from what is known by their URL."""
    begun, named = one_of("u.pid", begin), chosen(urls.urls, "u.")
    links = chosen(rule.sources, "x.")
    version = chosen(urls.versions, "v.")
    return Sql(
        f"SELECT x.pid FROM idx_uri u {THEN} idx_reference x WHERE {begun.text}"
        f" AND {named.text} AND {links.text} AND x.target_id = u.value"
        f" AND {_VERSION.format(version.text)}",
        (*begun.values, *named.values, *links.values, *version.values),
    )
