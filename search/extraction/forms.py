"""Expressions of custom parameters, brought to the forms that are compiled.

https://hl7.org/fhir/R4/searchparameter-definitions.html#SearchParameter.expression.
There are many ways to write one path (``extension('u').value as Coding``); those that
mean a simple one are written as :mod:`fyr.search.extraction.expressions` reads it. The rest is
evaluated on the whole resource.
"""

from collections.abc import Iterator, Sequence

from fyr.core.errors import Invalid
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.fhirpath import grammar
from fyr.core.model.fhirpath.grammar import Binary, Call, Dot, Index, Literal, Member
from fyr.core.model.fhirpath.registry import FUNCTIONS
from fyr.search.extraction.expressions import NotSimple

#: Functions whose answer would be of the moment when somebody writes.
_OF_THE_MOMENT = frozenset({"now", "today"})
_ROOTS = RESOURCE_TYPES | {"Resource", "DomainResource"}
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def union(expression: str) -> list[str]:
    """Split ``a | b`` at its bars, not at those in texts and in brackets."""
    parts, start, depth, quote, at = [], 0, 0, "", 0
    while at < len(expression):
        char = expression[at]
        if quote:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in "'`":
            quote = char
        elif char in _CLOSING:
            depth += 1
        elif char in _CLOSING.values():
            depth -= 1
        elif char == "|" and not depth:
            parts.append(expression[start:at].strip())
            start = at + 1
        at += 1
    return [part for part in [*parts, expression[start:].strip()] if part]


def read(
    expression: str, kind: str, bases: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Split an expression into simple paths and what is to be evaluated.

    :param kind: type of the resources that are meant.
    :param bases: the type and those that it is a kind of.
    :raises Invalid: it is not FHIRPath.
    """
    paths: list[str] = []
    evaluated: list[str] = []
    for part in union(expression):
        tree = grammar.parse(part)
        root = _root(tree)
        if root in _ROOTS and root not in bases:
            continue
        try:
            steps = _steps(tree)
        except NotSimple:
            evaluated.append(part)
            continue
        if steps and steps[0] in _ROOTS:
            steps = steps[1:]
        paths.append("".join([kind, *("." + step for step in steps)]))
    return list(dict.fromkeys(paths)), list(dict.fromkeys(evaluated))


def roots(expression: str) -> set[str]:
    """Tell the types that the parts of an expression begin at; empty text: any."""
    found = {_root(grammar.parse(part)) for part in union(expression)}
    return {root if root in _ROOTS else "" for root in found}


def unsupported(expression: str) -> str:
    """Tell why an expression cannot be evaluated on what is stored; empty: it can.

    :raises Invalid: it is not FHIRPath.
    """
    if any(map(_looks_elsewhere, map(grammar.parse, union(expression)))):
        return (
            "resolve() is understood only in where(resolve() is Type): what another"
            " resource has is not kept with this one"
        )
    for name in _functions(grammar.parse(expression)):
        if name in _OF_THE_MOMENT:
            return f"{name}() is another one each day, and values are kept"
        if name not in FUNCTIONS:
            return f"{name}() is not supported"
    return ""


def _looks_elsewhere(tree: grammar.Tree) -> bool:
    """Whether an expression asks another resource for more than its type."""
    if "resolve" not in _functions(tree):
        return False
    try:
        _steps(tree)
    except NotSimple:
        return True
    return False


def _functions(tree: grammar.Tree) -> Iterator[str]:
    """Tell the functions that a tree calls."""
    if isinstance(tree, Call):
        yield tree.name
    for name in getattr(tree, "__slots__", ()):
        below = getattr(tree, name)
        for one in below if isinstance(below, tuple) else (below,):
            if isinstance(one, grammar.Tree):
                yield from _functions(one)


def _root(tree: grammar.Tree) -> str:
    """Tell the name that an expression begins with."""
    while not isinstance(tree, Member):
        if isinstance(tree, Dot | Index):
            tree = tree.target
        elif isinstance(tree, Binary):
            tree = tree.left
        else:
            return ""
    return tree.name


def _steps(tree: grammar.Tree) -> list[str]:
    """Write a tree as steps of a simple path.

    :raises NotSimple: it is none.
    """
    if isinstance(tree, Member):
        return [tree.name]
    if isinstance(tree, Dot):
        return [*_steps(tree.target), *_step(tree.step)]
    if isinstance(tree, Binary) and tree.operator == "as":
        return [*_steps(tree.left), f"as({_type(tree.right)})"]
    if isinstance(tree, Call):
        return _step(tree)
    raise NotSimple


def _step(tree: grammar.Tree) -> list[str]:
    if isinstance(tree, Member):
        return [tree.name]
    if isinstance(tree, Call) and len(tree.arguments) == 1:
        (argument,) = tree.arguments
        if tree.name == "extension":
            return ["extension", f"where(url='{_text(argument)}')"]
        if tree.name in ("as", "ofType"):
            return [f"as({_type(argument)})"]
        if tree.name == "where" and isinstance(argument, Binary):
            return [_condition(argument)]
    raise NotSimple


def _condition(tree: Binary) -> str:
    if tree.operator == "is" and tree.left == Call("resolve", ()):
        return f"where(resolve() is {_type(tree.right)})"
    if tree.operator == "=" and isinstance(tree.left, Member):
        return f"where({tree.left.name}='{_text(tree.right)}')"
    raise NotSimple


def _type(tree: grammar.Tree) -> str:
    if isinstance(tree, Dot) and tree.target in (Member("FHIR"), Member("System")):
        tree = tree.step
    if isinstance(tree, Member):
        return tree.name
    raise NotSimple


def _text(tree: grammar.Tree) -> str:
    if isinstance(tree, Literal) and isinstance(tree.value, str):
        if "'" not in tree.value:
            return tree.value
    raise NotSimple


def parsed(expression: str) -> str:
    """Tell why an expression is none; empty: it is one."""
    try:
        for part in union(expression):
            grammar.parse(part)
        grammar.parse(expression)
    except Invalid as error:
        return str(error)
    return ""
