"""The table of FHIRPath's functions, and what all of them share."""

from collections.abc import Callable
from dataclasses import dataclass

from fyr.core.errors import Invalid
from fyr.core.model.fhirpath import operators
from fyr.core.model.fhirpath.nodes import Node
from fyr.core.model.fhirpath.values import Moment

Items = list[Node]


@dataclass(frozen=True, slots=True)
class Function:
    """A function: ``apply(scope, items, *arguments)``, and how many arguments."""

    apply: Callable[..., Items]
    arity: tuple[int, ...]


FUNCTIONS: dict[str, Function] = {}


def function(
    name: str, *arity: int
) -> Callable[[Callable[..., Items]], Callable[..., Items]]:
    """Register a function under its name; without arity it takes no arguments."""

    def register(apply: Callable[..., Items]) -> Callable[..., Items]:
        FUNCTIONS[name] = Function(apply, arity or (0,))
        return apply

    return register


def string(items: Items) -> str | None:
    """Take a collection as one string, ``None`` of an empty one."""
    value = operators.single(items)
    if isinstance(value, Moment):
        return value.text
    if value is not None and not isinstance(value, str):
        raise Invalid("FHIRPath: a string expected")
    return value


def integer(items: Items) -> int:
    """Take a collection as one integer."""
    value = operators.single(items)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid("FHIRPath: an integer expected")
    return value
