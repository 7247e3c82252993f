"""Parameters as sent, understood: https://hl7.org/fhir/R4/search.html.

What is not known or not offered is an error that names it and its neighbours; a lenient
search leaves it out, says so, and does not list it as used.
"""

import re
from collections.abc import Sequence

from fyr.core.errors import FyrError, Invalid, Issue, NotSupported
from fyr.core.model.naming import did_you_mean
from fyr.core.searching import CURSOR, SearchAsked
from fyr.search.tree import Query, conjuncts
from fyr.search.understanding import contained
from fyr.search.understanding.asked import asked
from fyr.search.understanding.criteria import Criteria
from fyr.search.understanding.known import Known
from fyr.search.understanding.results import INCLUDING, LISTS, RESULTS, Results
from fyr.search.understanding.specials import SPECIALS

Pairs = Sequence[tuple[str, str]]

#: Parameters that say one thing about the answer.
_ONCE = {*(RESULTS - LISTS), CURSOR} - INCLUDING
_NO_MODIFIER = re.compile(r":(\.|$)")
#: Criteria of one search; each is a part of one statement.
MOST_CRITERIA = 100
#: Values of all its criteria together.
MOST_VALUES = 5000


class QueryParser:
    """Understands the parameters of one search."""

    def __init__(
        self,
        known: Known,
        *,
        default_count: int,
        max_count: int,
        sent: Pairs = (),
    ) -> None:
        """Take what they are understood with, and the page size.

        :param sent: parameters of the client, which a service may hide; a plugin's own
            are not looked at.
        """
        self._sent = frozenset(sent)
        self._criteria = Criteria(known)
        self._known = known
        self._parameters = known.parameters
        self._results = Results(known, default_count, max_count)

    def parse(self, types: Sequence[str], pairs: Pairs, *, lenient: bool) -> Query:
        """Understand all parameters.

        :param types: resource types that may be searched.
        :raises NotSupported: some are not known or not offered, all of them named.
        :raises Invalid: some have values that are not of their type.
        """
        _refuse_many(pairs)
        _refuse_twice(pairs)
        query = Query(types=self._types(types, pairs))
        contained.take(query, pairs)
        self._results.start(query, (name for name, _ in pairs))
        problems: list[FyrError] = []
        for name, value in pairs:
            understood = []
            for part in value.split(",") if name in LISTS else [value]:
                try:
                    self._take(query, name, part, sent=(name, value) in self._sent)
                    understood.append(part)
                except NotSupported as problem:
                    # What a plugin has added keeps the search inside: never left out.
                    if not lenient or (name, value) not in self._sent:
                        problems.append(problem)
                    query.issues += map(_ignored, problem.issues)
                except Invalid as problem:
                    problems.append(problem)
            if understood:
                query.used.append((name, ",".join(understood)))
        if problems:
            # Many values may have one and the same problem.
            told = dict.fromkeys(one for problem in problems for one in problem.issues)
            raise type(problems[0])([*told])
        return query

    def asked(self, query: Query) -> SearchAsked:
        """Tell what a query is about that was understood here."""
        return asked(self._known, query, self._results.followed)

    def _types(self, types: Sequence[str], pairs: Pairs) -> tuple[str, ...]:
        """Tell the types to search: those that ``_type`` names, of those that may be."""
        named = [
            value for name, raw in pairs if name == "_type" for value in raw.split(",")
        ]
        unknown = [name for name in named if name not in types]
        if unknown:
            raise NotSupported(
                f"_type: {unknown[0][:60]!r} cannot be searched here"
                + did_you_mean(unknown[0], types)
            )
        return tuple(dict.fromkeys(named)) or tuple(types)

    def _refuse_unknown(self, types: Sequence[str], name: str) -> None:
        """Refuse a parameter of no type with its neighbours, those about results too."""
        code = _code(name)
        if not code.startswith("_"):
            return
        known = {*RESULTS, *SPECIALS, CURSOR}
        known.update(*(self._parameters.of(kind) for kind in types))
        if code not in known:
            near = [one for one in known if one.startswith("_")]
            what = f"{types[0]} has" if len(types) == 1 else "there is"
            raise NotSupported(
                f"{what} no search parameter {code[:60]!r}{did_you_mean(code, near)}"
            )

    def _take(self, query: Query, name: str, value: str, *, sent: bool) -> None:
        self._known.offered.sent = sent
        try:
            self._understand(query, name, value)
        finally:
            self._known.offered.sent = False

    def _understand(self, query: Query, name: str, value: str) -> None:
        if "\x00" in value:
            raise Invalid(f"search parameter {name!r} has a NUL character in its value")
        if _NO_MODIFIER.search(name):
            raise Invalid(f"{name[:60]!r}: a modifier is expected after ':'")
        if name == "_type":
            return
        if _code(name) == "_type":
            raise NotSupported("_type has no modifier and no chain")
        self._refuse_unknown(query.types, name)
        if name == CURSOR:
            query.cursor = _cursor(value)
        elif name.partition(":")[0] in RESULTS:
            contained.refuse_beside(query, name)
            self._results.take(query, name, value)
        else:
            # Each on its own, so that a plan may begin with any of them.
            criterion = self._criteria.criterion(query.types, name, value)
            if query.contained:
                contained.add_inside(query, name, criterion)
            query.criteria += conjuncts(criterion)


def _refuse_many(pairs: Pairs) -> None:
    """Refuse what no database could make a statement of.

    :raises Invalid: there are too many criteria, or values in them.
    """
    criteria = [value for name, value in pairs if name.partition(":")[0] not in RESULTS]
    if len(criteria) > MOST_CRITERIA:
        raise Invalid(f"the search has more than {MOST_CRITERIA} criteria")
    if sum(value.count(",") + 1 for value in criteria) > MOST_VALUES:
        raise Invalid(f"the search has more than {MOST_VALUES} values")


def _refuse_twice(pairs: Pairs) -> None:
    """Refuse two values of what has one: which of them is meant?

    :raises Invalid: names all parameters of which there are several.
    """
    given: dict[str, set[str]] = {}
    for name, value in pairs:
        if name in _ONCE:
            given.setdefault(name, set()).add(value)
    issues = [
        Issue("invalid", f"{name} has {len(values)} different values: give one")
        for name, values in given.items()
        if len(values) > 1
    ]
    if issues:
        raise Invalid(issues)


def _cursor(value: str) -> str:
    if not value:
        raise Invalid(f"{CURSOR} is empty: it is what a link to another page holds")
    return value


def _code(name: str) -> str:
    return name.partition(":")[0].partition(".")[0]


def _ignored(issue: Issue) -> Issue:
    text = f"ignored: {issue.diagnostics}"
    return Issue(issue.code, text, issue.expression, "warning", issue.details)
