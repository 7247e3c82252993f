"""The language of ``_filter``: https://hl7.org/fhir/R4/search_filter.html.

``given eq "peter" and (birthdate ge 2014-10-10 or not (gender eq male))``. ``and`` and
``or`` bind alike, from left to right. What a filter means is told in ``filtering``.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from fyr.core.errors import Invalid, NotSupported
from fyr.core.model.naming import did_you_mean

#: All operators of the language.
OPERATORS = frozenset(
    "eq ne co sw ew gt lt ge le ap sa eb pr po ss sb in ni re".split()
)
#: Parentheses and brackets inside each other, and comparisons in all.
DEEPEST = 20
MOST_COMPARISONS = 100

_WORD = re.compile(r"[A-Za-z]+", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_HAS = re.compile(r"_has:[A-Za-z]+:[A-Za-z_][A-Za-z0-9_-]*:", re.ASCII)
_TOKEN = re.compile(r"[^\s)\]]+")
_STRINGS = json.JSONDecoder()
_NOT = re.compile(r"not\s*\(")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Value:
    """What is compared with: a JSON string, or a word that is written without quotes."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A parameter on a path, and what the resource must be that it leads to.

    ``_has:Observation:subject`` leads to what refers to the resource.
    """

    name: str
    filter: "Expression | None" = None

    @property
    def backward(self) -> bool:
        """Whether it leads to what refers to the resource."""
        return self.name.startswith("_has:")


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path operator value``."""

    path: tuple[Step, ...]
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Joined:
    """Expressions with one word between them, ``and`` or ``or``."""

    word: str
    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """``not (…)``."""

    part: "Expression"


Expression = Comparison | Joined | Negation


def parse(text: str) -> Expression:
    """Read a filter.

    :raises Invalid: it is none, or too large; tells where.
    :raises NotSupported: an operator that there is not.
    """
    parser = _Parser(text)
    found = parser.expression(0)
    parser.end()
    return found


def written(expression: Expression) -> str:
    """Write a filter: the opposite of :func:`parse`."""
    match expression:
        case Comparison():
            path = "".join(map(_step, expression.path)).removesuffix(".")
            value = expression.value
            text = json.dumps(value.text) if value.quoted else value.text
            return f"{path} {expression.operator} {text}"
        case Joined():
            return f" {expression.word} ".join(map(_part, expression.parts))
        case Negation():
            return f"not ({written(expression.part)})"


def names(expression: Expression) -> Iterator[str]:
    """Tell the parameters of the searched resources themselves that a filter is about."""
    match expression:
        case Comparison():
            yield expression.path[0].name.partition(":")[0]
        case Joined():
            for part in expression.parts:
                yield from names(part)
        case Negation():
            yield from names(expression.part)


def _step(step: Step) -> str:
    if step.backward:
        return f"{step.name}:"
    return f"{step.name}[{written(step.filter)}]." if step.filter else f"{step.name}."


def _part(part: Expression) -> str:
    return f"({written(part)})" if isinstance(part, Joined) else written(part)


class _Parser:
    """Reads one text from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._comparisons = 0

    def expression(self, depth: int) -> Expression:
        """Read terms with words between them, from left to right."""
        if depth > DEEPEST:
            raise self._wrong(f"more than {DEEPEST} parentheses inside each other")
        parts, joined_by = [self._term(depth)], ""
        while word := self._joining():
            if joined_by not in ("", word):
                parts = [Joined(joined_by, tuple(parts))]
            joined_by = word
            parts.append(self._term(depth))
        return Joined(joined_by, tuple(parts)) if joined_by else parts[0]

    def end(self) -> None:
        """Refuse what is left over."""
        self._skip()
        if self._at < len(self._text):
            raise self._wrong("'and', 'or' or the end is expected")

    def _joining(self) -> str:
        self._skip()
        found = _WORD.match(self._text, self._at)
        if found is None or found[0] not in ("and", "or"):
            return ""
        self._at = found.end()
        return found[0]

    def _term(self, depth: int) -> Expression:
        self._skip()
        if found := _NOT.match(self._text, self._at):
            self._at = found.end()
            return Negation(self._closed(depth, ")"))
        if self._text.startswith("(", self._at):
            self._at += 1
            return self._closed(depth, ")")
        return self._comparison(depth)

    def _closed(self, depth: int, bracket: str) -> Expression:
        found = self.expression(depth + 1)
        self._skip()
        if not self._text.startswith(bracket, self._at):
            raise self._wrong(f"{bracket!r} is expected")
        self._at += 1
        return found

    def _comparison(self, depth: int) -> Comparison:
        self._comparisons += 1
        if self._comparisons > MOST_COMPARISONS:
            raise self._wrong(f"more than {MOST_COMPARISONS} comparisons")
        path = [self._step(depth)]
        while path[-1].backward or self._text.startswith(".", self._at):
            self._at += not path[-1].backward
            path.append(self._step(depth))
        if path[-1].filter is not None:
            raise self._wrong("'.' and a parameter are expected after ']'")
        return Comparison(tuple(path), self._operator(), self._value())

    def _step(self, depth: int) -> Step:
        if has := _HAS.match(self._text, self._at):
            self._at = has.end()
            return Step(has[0].removesuffix(":"))
        name = _NAME.match(self._text, self._at)
        if name is None:
            raise self._wrong("a parameter is expected")
        self._at = name.end()
        if not self._text.startswith("[", self._at):
            return Step(name[0])
        self._at += 1
        return Step(name[0], self._closed(depth, "]"))

    def _operator(self) -> str:
        self._skip()
        found = _WORD.match(self._text, self._at)
        if found is None:
            raise self._wrong("an operator such as 'eq' is expected")
        if found[0] not in OPERATORS:
            raise NotSupported(
                f"_filter: there is no operator {found[0][:20]!r} (at character"
                f" {self._at + 1}){did_you_mean(found[0], OPERATORS)}"
            )
        self._at = found.end()
        return found[0]

    def _value(self) -> Value:
        begin = self._at
        self._skip()
        if self._at == begin:
            raise self._wrong("a space and a value are expected")
        if self._text.startswith('"', self._at):
            return Value(self._string(), quoted=True)
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            raise self._wrong("a value is expected")
        self._at = found.end()
        return Value(found[0])

    def _string(self) -> str:
        try:
            text, self._at = _STRINGS.raw_decode(self._text, self._at)
        except ValueError:
            raise self._wrong("a JSON string is expected") from None
        if "\x00" in text or _SURROGATE.search(text):
            raise self._wrong("a string holds what is no character")
        return str(text)

    def _skip(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _wrong(self, what: str) -> Invalid:
        near = self._text[self._at : self._at + 30]
        place = f"at {near!r}" if near else "at its end"
        return Invalid(f"_filter: {what}, {place} (character {self._at + 1})")
