"""The grammar of FHIRPath: text in, syntax tree out: http://hl7.org/fhirpath/N1/#grammar.

Length and nesting are bounded, so that neither parsing nor walking a tree can
exhaust the stack.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from fyr.core.errors import Invalid
from fyr.core.model.fhirpath.values import Moment, Quantity

#: The longest expression that is taken, in characters.
MAX_LENGTH = 4000
#: The deepest tree that is built; ``a.b.c`` is two deep.
MAX_DEPTH = 100

#: What a literal stands for.
LiteralValue = str | bool | int | Decimal | Moment | Quantity


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant; ``{}`` is the one without a value."""

    value: LiteralValue | None


@dataclass(frozen=True, slots=True)
class Member:
    """The children of that name: ``given``."""

    name: str


@dataclass(frozen=True, slots=True)
class Special:
    """``$this``, ``$index`` or ``$total``."""

    name: str


@dataclass(frozen=True, slots=True)
class Variable:
    """``%resource`` and whatever else was passed in."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """``name(arguments)``, on what stands before the dot."""

    name: str
    arguments: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Dot:
    """``target.step``."""

    target: "Tree"
    step: "Tree"


@dataclass(frozen=True, slots=True)
class Index:
    """``target[position]``."""

    target: "Tree"
    position: "Tree"


@dataclass(frozen=True, slots=True)
class Sign:
    """A number with ``+`` or ``-`` before it."""

    operator: str
    operand: "Tree"


@dataclass(frozen=True, slots=True)
class Binary:
    """``left operator right``."""

    operator: str
    left: "Tree"
    right: "Tree"


Tree = Literal | Member | Special | Variable | Call | Dot | Index | Sign | Binary

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|//[^\n]*|/\*.*?\*/)
    | (?P<time>@T\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?)
    | (?P<moment>@\d{4}(?:-\d{2}(?:-\d{2})?)?
        (?:T(?:\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?(?:Z|[+-]\d{2}:\d{2})?)?)?)
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<string>'(?:\\.|[^'\\])*')
    | (?P<special>\$(?:this|index|total))
    | (?P<variable>%(?:[A-Za-z_][A-Za-z0-9_-]*|`(?:\\.|[^`\\])*`|'(?:\\.|[^'\\])*'))
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<quoted>`(?:\\.|[^`\\])*`)
    | (?P<operator><=|>=|!=|!~|[-+*/&|<>=~.,()\[\]{}])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)

#: How tightly each operator binds; all of them lead from left to right.
BINDING = {
    "implies": 1,
    **dict.fromkeys(("or", "xor"), 2),
    "and": 3,
    **dict.fromkeys(("in", "contains"), 4),
    **dict.fromkeys(("=", "~", "!=", "!~"), 5),
    **dict.fromkeys(("<", ">", "<=", ">="), 6),
    "|": 7,
    **dict.fromkeys(("is", "as"), 8),
    **dict.fromkeys(("+", "-", "&"), 9),
    **dict.fromkeys(("*", "/", "div", "mod"), 10),
}
_SIGN_BINDING = 11

_ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "f": "\f"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_CALENDAR_UNIT = re.compile(
    r"(?:year|month|week|day|hour|minute|second|millisecond)s?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


@lru_cache(maxsize=1024)
def parse(expression: str) -> Tree:
    """Read an expression to its end.

    :raises Invalid: it is not FHIRPath, or longer or deeper than what is taken.
    """
    if len(expression) > MAX_LENGTH:
        raise Invalid(f"FHIRPath of more than {MAX_LENGTH} characters")
    return _Parser(expression).parse()


def _tokens(expression: str) -> list[_Token]:
    found = []
    at = 0
    while at < len(expression):
        match = _TOKEN.match(expression, at)
        if match is None:
            raise Invalid(f"FHIRPath: cannot read {expression[at : at + 20]!r}")
        if match.lastgroup != "space":
            found.append(_Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    return [*found, _Token("end", "", at)]


def _unescape(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        return _ESCAPES.get(match[2], match[2])

    return _ESCAPE.sub(replace, text[1:-1])


class _Parser:
    """Precedence climbing over the tokens of one expression."""

    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens = _tokens(expression)
        self._position = 0
        self._depth: dict[int, int] = {}
        self._nesting = 0
        self._trees: list[Tree] = []

    def parse(self) -> Tree:
        tree = self._operation(0)
        self._expect("")
        return tree

    def _peek(self) -> _Token:
        return self._tokens[self._position]

    def _take(self) -> _Token:
        token = self._tokens[self._position]
        if token.kind != "end":
            self._position += 1
        return token

    def _expect(self, text: str) -> None:
        token = self._take()
        if token.text != text or token.kind not in ("operator", "end"):
            wanted = repr(text) if text else "the end"
            raise Invalid(
                f"FHIRPath {self._expression!r}: {wanted} expected"
                f" at character {token.at + 1}"
            )

    def _made(self, tree: Tree, *parts: Tree) -> Tree:
        """Take note of how deep a tree is, and refuse one that is too deep."""
        depth = 1 + max((self._depth[id(part)] for part in parts), default=0)
        self._refuse_deep(depth)
        self._depth[id(tree)] = depth
        # Keeps the tree alive, so that its id stays its own.
        self._trees.append(tree)
        return tree

    def _refuse_deep(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise Invalid(f"FHIRPath nested deeper than {MAX_DEPTH}")

    def _operation(self, binding: int) -> Tree:
        self._nesting += 1
        self._refuse_deep(self._nesting)
        left = self._signed()
        while True:
            token = self._peek()
            mine = BINDING.get(token.text, 0)
            if token.kind not in ("operator", "name") or mine <= binding:
                break
            self._take()
            right = self._operation(mine)
            left = self._made(Binary(token.text, left, right), left, right)
        self._nesting -= 1
        return left

    def _signed(self) -> Tree:
        token = self._peek()
        if token.kind == "operator" and token.text in "+-":
            self._take()
            operand = self._operation(_SIGN_BINDING)
            return self._made(Sign(token.text, operand), operand)
        return self._path()

    def _path(self) -> Tree:
        tree = self._term()
        while True:
            token = self._peek()
            if token.kind == "operator" and token.text == ".":
                self._take()
                step = self._step()
                tree = self._made(Dot(tree, step), tree, step)
            elif token.kind == "operator" and token.text == "[":
                self._take()
                position = self._operation(0)
                self._expect("]")
                tree = self._made(Index(tree, position), tree, position)
            else:
                return tree

    def _term(self) -> Tree:
        token = self._peek()
        if token.text == "(" and token.kind == "operator":
            self._take()
            tree = self._operation(0)
            self._expect(")")
            return tree
        if token.text == "{" and token.kind == "operator":
            self._take()
            self._expect("}")
            return self._made(Literal(None))
        if token.kind == "name" and token.text in ("true", "false"):
            self._take()
            return self._made(Literal(token.text == "true"))
        if token.kind in _LITERALS:
            return self._made(self._literal())
        return self._step()

    def _literal(self) -> Literal:
        token = self._take()
        value = _LITERALS[token.kind](token.text)
        if token.kind == "number":
            unit = self._peek()
            if unit.kind == "string":
                return Literal(
                    Quantity(Decimal(token.text), _unescape(self._take().text))
                )
            if unit.kind == "name" and _CALENDAR_UNIT.fullmatch(unit.text):
                return Literal(
                    Quantity(Decimal(token.text), self._take().text.rstrip("s"))
                )
        return Literal(value)

    def _step(self) -> Tree:
        token = self._take()
        if token.kind == "special":
            return self._made(Special(token.text))
        if token.kind == "variable":
            name = token.text[1:]
            return self._made(Variable(name if name[0].isalpha() else _unescape(name)))
        if token.kind not in ("name", "quoted"):
            raise Invalid(
                f"FHIRPath {self._expression!r}: a name expected"
                f" at character {token.at + 1}"
            )
        name = token.text if token.kind == "name" else _unescape(token.text)
        if self._peek().text != "(" or self._peek().kind != "operator":
            return self._made(Member(name))
        arguments = self._arguments()
        return self._made(Call(name, arguments), *arguments)

    def _arguments(self) -> tuple[Tree, ...]:
        self._expect("(")
        if self._peek().text == ")" and self._peek().kind == "operator":
            self._take()
            return ()
        found = [self._operation(0)]
        while self._peek().text == "," and self._peek().kind == "operator":
            self._take()
            found.append(self._operation(0))
        self._expect(")")
        return tuple(found)


_LITERALS: dict[str, Callable[[str], LiteralValue]] = {
    "string": _unescape,
    "number": lambda text: Decimal(text) if "." in text else int(text),
    "moment": lambda text: Moment.literal(text),
    "time": lambda text: Moment.literal(text),
}
