"""Parameters as sent, understood: https://hl7.org/fhir/R4/search.html.

What is not known or not offered is an error that names it and its neighbours; a lenient
search leaves it out, says so, and does not list it as used.
"""

from collections.abc import Iterable, Mapping, Sequence

from fyr.core.errors import FyrError, Invalid, Issue, NotSupported
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.naming import did_you_mean
from fyr.core.searching import CURSOR
from fyr.search.operands import Operands, plain, reference, values
from fyr.search.parameters import Parameter, Parameters
from fyr.search.places import Places
from fyr.search.results import RESULTS, Results
from fyr.search.texts import COMPARED
from fyr.search.tree import (
    Chain,
    Criterion,
    Has,
    HasId,
    Match,
    Missing,
    Moment,
    Operand,
    Query,
    Target,
    Text,
    Updated,
)

Pairs = Sequence[tuple[str, str]]

#: Modifiers by parameter type, ``:[type]`` of references besides.
MODIFIERS: Mapping[str, tuple[str, ...]] = {
    "token": ("missing", "not"),
    "string": ("missing", "exact", "contains"),
    "reference": ("missing", "identifier"),
    "date": ("missing",),
    "number": ("missing",),
    "quantity": ("missing",),
    "uri": ("missing",),
}
_ON_THE_ROW = frozenset({"_id", "_lastUpdated"})
#: Links that one criterion may go through.
_LONGEST_CHAIN = 8


class QueryParser:
    """Understands the parameters of one search."""

    def __init__(
        self,
        parameters: Parameters,
        places: Places,
        operands: Operands,
        *,
        default_count: int,
        max_count: int,
    ) -> None:
        """Take what is known, and the page size."""
        self._parameters = parameters
        self._places = places
        self._operands = operands
        self._results = Results(parameters, places, default_count, max_count)

    def parse(self, types: Sequence[str], pairs: Pairs, *, lenient: bool) -> Query:
        """Understand all parameters.

        :param types: resource types that may be searched.
        :raises NotSupported: some are not known or not offered, all of them named.
        :raises Invalid: some have values that are not of their type.
        """
        query = Query(types=self._types(types, pairs))
        self._results.start(query)
        problems: list[FyrError] = []
        for name, value in pairs:
            try:
                self._take(query, name, value)
                query.used.append((name, value))
            except NotSupported as problem:
                if not lenient:
                    problems.append(problem)
                query.issues += map(_ignored, problem.issues)
            except Invalid as problem:
                problems.append(problem)
        if problems:
            issues = [issue for problem in problems for issue in problem.issues]
            raise type(problems[0])(issues)
        return query

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

    def _take(self, query: Query, name: str, value: str) -> None:
        if "\x00" in value:
            raise Invalid(f"search parameter {name!r} has a NUL character in its value")
        if name == "_type":
            return
        if name == CURSOR:
            query.cursor = value
        elif name.partition(":")[0] in RESULTS:
            self._results.take(query, name, value)
        else:
            query.criteria.append(self.criterion(query.types, name, value))

    def criterion(
        self, types: Sequence[str], name: str, value: str, depth: int = 0
    ) -> Criterion:
        """Understand one criterion on resources of the types.

        :param name: with its modifier or chain, as in the URL.
        """
        if depth > _LONGEST_CHAIN:
            raise Invalid(
                f"{name[:60]!r} goes through more than {_LONGEST_CHAIN} links"
            )
        if name.startswith("_has:"):
            return self._has(types, name, value, depth)
        first, dot, rest = name.partition(".")
        code, _, modifier = first.partition(":")
        found = self._find(types, code)
        if dot:
            return self._chain(found, modifier, rest, value, depth)
        if code in _ON_THE_ROW:
            return self._of_row(code, modifier, value)
        if modifier == "missing":
            return self._missing(found, value)
        return self._match(found, modifier, value)

    def _find(self, types: Sequence[str], code: str) -> list[Parameter]:
        """Find the parameter of each type; they have one type."""
        found = []
        for kind in types:
            known = self._parameters.of(kind)
            parameter = known.get(code)
            if parameter is None:
                raise NotSupported(
                    f"{kind} has no search parameter {code[:60]!r}"
                    + did_you_mean(code, known)
                )
            if code not in _ON_THE_ROW and parameter.table is None:
                raise NotSupported(
                    f"search parameter {code!r} of {kind} ({parameter.type}) is not"
                    " supported yet"
                )
            found.append(parameter)
        if len({one.type for one in found}) != 1:
            raise NotSupported(
                f"search parameter {code!r} has not one type in {', '.join(types)[:200]}:"
                " say which resource type is meant"
            )
        return found

    def _of_row(self, code: str, modifier: str, value: str) -> Criterion:
        if modifier:
            raise _no_modifier(code, modifier, ())
        if code == "_id":
            return HasId(tuple(map(plain, values(value, code))))
        moments = [self._moment(one) for one in values(value, code)]
        return Updated(tuple(moments))

    def _moment(self, value: str) -> Moment:
        try:
            return self._operands.date(value)
        except ValueError as error:
            raise Invalid(f"search parameter '_lastUpdated': {error}") from None

    def _missing(self, found: list[Parameter], value: str) -> Criterion:
        name = found[0].name
        if value not in ("true", "false"):
            raise Invalid(f"{name}:missing is true or false, not {value[:60]!r}")
        sources = self._places.sources(found) + self._places.logical(found)
        return Missing(sources, value == "true")

    def _match(self, found: list[Parameter], modifier: str, value: str) -> Criterion:
        one = found[0]
        sources = self._places.sources(found)
        if one.type == "reference" and modifier == "identifier":
            operands = self._operands.read("token", value, one.name)
            return Match(self._places.logical(found), operands)
        if one.type == "reference" and modifier in RESOURCE_TYPES:
            operands = tuple(_typed(modifier, each) for each in values(value, one.name))
            return Match(sources, operands)
        if modifier and modifier not in MODIFIERS[one.type]:
            raise _no_modifier(one.name, modifier, MODIFIERS[one.type])
        operands = self._operands.read(one.type, value, one.name)
        if modifier == "not":
            return Match(sources, operands, negated=True)
        if modifier != "exact":
            _check_lengths(one.name, operands)
        return Match(sources, operands, modifier)

    def _chain(
        self, found: list[Parameter], kind: str, rest: str, value: str, depth: int
    ) -> Criterion:
        if found[0].type != "reference":
            raise NotSupported(
                f"{found[0].name!r} is no reference: nothing can be chained to it"
            )
        if kind and kind not in RESOURCE_TYPES:
            raise NotSupported(
                f"{kind[:60]!r} is not a resource type"
                + did_you_mean(kind, RESOURCE_TYPES)
            )
        targets = [kind] if kind else self._targets(found, rest)
        inner = self.criterion(targets, rest, value, depth + 1)
        return Chain(self._places.sources(found), tuple(targets), inner)

    def _targets(self, found: list[Parameter], rest: str) -> list[str]:
        """Tell the types that a reference may lead to and that have the next parameter."""
        allowed = {kind for one in found for kind in one.targets or RESOURCE_TYPES}
        code = rest.partition(".")[0].partition(":")[0]
        if code == "_has":
            return sorted(allowed)
        targets = [k for k in sorted(allowed) if code in self._parameters.of(k)]
        if not targets:
            known = {name for kind in allowed for name in self._parameters.of(kind)}
            raise NotSupported(
                f"nothing that {found[0].name!r} leads to has a search parameter"
                f" {code[:60]!r}{did_you_mean(code, known)}"
            )
        return targets

    def _has(
        self, types: Sequence[str], name: str, value: str, depth: int
    ) -> Criterion:
        parts = name.split(":", 3)
        if len(parts) != 4:
            raise Invalid(f"{name[:60]!r} is not _has:[type]:[reference]:[parameter]")
        _, kind, code, rest = parts
        if kind not in RESOURCE_TYPES:
            raise NotSupported(
                f"{kind[:60]!r} is not a resource type"
                + did_you_mean(kind, RESOURCE_TYPES)
            )
        (link,) = self._find([kind], code)
        if link.type != "reference":
            raise NotSupported(f"{code!r} of {kind} is no reference")
        inner = self.criterion([kind], rest, value, depth + 1)
        return Has(kind, self._places.sources([link]), inner)


def _check_lengths(name: str, operands: Iterable[Operand]) -> None:
    """Refuse what is longer than what the index compares."""
    if any(isinstance(one, Text) and len(one.folded) > COMPARED for one in operands):
        raise Invalid(
            f"search parameter {name!r} has more than {COMPARED} characters: they can"
            " only be compared :exact"
        )


def _typed(kind: str, value: str) -> Target:
    target = reference(plain(value))
    if target.type not in (None, kind):
        raise Invalid(f"{value[:60]!r} is no {kind}")
    return Target(kind, target.id)


def _no_modifier(name: str, modifier: str, known: Iterable[str]) -> NotSupported:
    listed = ", ".join(f":{one}" for one in known) or "none"
    return NotSupported(
        f"search parameter {name!r} has no modifier {modifier[:60]!r} here"
        f"{did_you_mean(modifier, known)} (supported: {listed})"
    )


def _ignored(issue: Issue) -> Issue:
    text = f"ignored: {issue.diagnostics}"
    return Issue(issue.code, text, issue.expression, "warning", issue.details)
