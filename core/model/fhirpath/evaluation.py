"""Walks a syntax tree of FHIRPath over the elements of a resource."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from fyr.core.errors import Invalid
from fyr.core.model.budget import Budget
from fyr.core.model.fhirpath import grammar, operators
from fyr.core.model.fhirpath.grammar import Tree
from fyr.core.model.fhirpath.nodes import Node
from fyr.core.model.fhirpath.operators import computed
from fyr.core.model.fhirpath.registry import FUNCTIONS


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression can name: ``$this``, ``$index``, ``$total``, ``%variables``."""

    this: list[Node]
    variables: Mapping[str, list[Node]]
    budget: Budget
    now: datetime
    index: int | None = None
    total: tuple[Node, ...] = ()

    def run(self, tree: Tree, focus: list[Node] | None = None) -> list[Node]:
        """Evaluate a tree on a collection; without one, on ``$this``."""
        found = self._run(tree, self.this if focus is None else focus)
        self.budget.spend(1 + len(found))
        return found

    def at(self, item: Node, index: int, total: tuple[Node, ...] = ()) -> "Scope":
        """Step into one item of a collection, as ``where`` does."""
        return replace(self, this=[item], index=index, total=total)

    def _run(self, tree: Tree, focus: list[Node]) -> list[Node]:
        match tree:
            case grammar.Literal(value):
                return computed(value)
            case grammar.Member(name):
                return self._members(name, focus)
            case grammar.Dot(target, step):
                return self.run(step, self.run(target, focus))
            case grammar.Index(target, position):
                return self._indexed(self.run(target, focus), self.run(position))
            case grammar.Call(name, arguments):
                return self._call(name, arguments, focus)
            case grammar.Special(name):
                return self._special(name)
            case grammar.Variable(name):
                return self._variable(name)
            case grammar.Sign(operator, tree):
                return self._binary(operator, grammar.Literal(0), tree)
            case grammar.Binary(operator, left, right):
                return self._binary(operator, left, right)

    def _members(self, name: str, focus: list[Node]) -> list[Node]:
        if name[:1].isupper():
            # Patient.name begins with the type of what it is evaluated on.
            roots = [node for node in focus if node.fields and node.is_a(name)]
            if roots:
                return roots
        found: list[Node] = []
        for node in focus:
            self.budget.spend(
                1 + len(node.value if isinstance(node.value, dict) else ())
            )
            found.extend(node.children(name))
        return found

    def _indexed(self, items: list[Node], position: list[Node]) -> list[Node]:
        place = operators.single(position)
        if place is None:
            return []
        if isinstance(place, bool) or not isinstance(place, int):
            raise Invalid("FHIRPath: an index is an integer")
        return [items[place]] if 0 <= place < len(items) else []

    def _call(
        self, name: str, arguments: tuple[Tree, ...], focus: list[Node]
    ) -> list[Node]:
        function = FUNCTIONS.get(name)
        if function is None:
            raise Invalid(f"FHIRPath: {name}() is not supported")
        if len(arguments) not in function.arity:
            raise Invalid(f"FHIRPath: {name}() has another number of arguments")
        return function.apply(self, focus, *arguments)

    def _special(self, name: str) -> list[Node]:
        if name == "$index":
            return computed(self.index)
        return list(self.total) if name == "$total" else self.this

    def _variable(self, name: str) -> list[Node]:
        if name not in self.variables:
            raise Invalid(f"FHIRPath: there is no %{name}")
        return self.variables[name]

    def _binary(self, operator: str, left: Tree, right: Tree) -> list[Node]:
        if operator in ("is", "as"):
            return FUNCTIONS[operator].apply(self, self.run(left), right)
        one = self.run(left)
        if operator in ("and", "or", "xor", "implies"):
            return computed(
                operators.logical(
                    operator, operators.truth(one), operators.truth(self.run(right))
                )
            )
        other = self.run(right)
        if operator in ("<", ">", "<=", ">="):
            return computed(operators.compare(operator, one, other))
        if operator in ("=", "!="):
            verdict = operators.equal(one, other, self.budget)
            wanted = operator == "="
            return computed(None if verdict is None else verdict is wanted)
        if operator in ("~", "!~"):
            alike = operators.equivalent(one, other, self.budget)
            return computed(alike is (operator == "~"))
        if operator == "|":
            return FUNCTIONS["union"].apply(self, one, right)
        if operator == "in":
            return self._contains(other, one)
        if operator == "contains":
            return self._contains(one, other)
        return self._arithmetic(operator, one, other)

    def _arithmetic(
        self, operator: str, one: list[Node], other: list[Node]
    ) -> list[Node]:
        result = operators.arithmetic(operator, one, other)
        if isinstance(result, str):
            self.budget.spend_text(len(result))
        return computed(result)

    def _contains(self, items: list[Node], wanted: list[Node]) -> list[Node]:
        if not wanted:
            return []
        operators.single(wanted)
        return computed(
            any(operators.same(item, wanted[0], self.budget) is True for item in items)
        )
