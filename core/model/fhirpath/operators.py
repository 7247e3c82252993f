"""FHIRPath's operators: http://hl7.org/fhirpath/N1/#operations.

``None`` stands for the empty collection where one value is expected.
"""

from collections.abc import Callable
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from fyr.core.errors import Invalid
from fyr.core.model.budget import Budget
from fyr.core.model.fhirpath.nodes import Node
from fyr.core.model.fhirpath.values import Moment, Quantity

#: Decimals have 28 digits in FHIRPath; an overflow is the empty collection.
_ARITHMETIC = Context(prec=34, traps=[InvalidOperation])
_DATES = ("date", "dateTime", "instant", "time")
#: Integers beyond this are an overflow, which is the empty collection.
_LARGEST_INTEGER = 2**63 - 1

_SYSTEM_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "Boolean"),
    (int, "Integer"),
    (Decimal, "Decimal"),
    (str, "String"),
    (Quantity, "Quantity"),
)


def computed(value: Any) -> list[Node]:
    """Make a collection of one computed value, or the empty one of ``None``."""
    if value is None:
        return []
    if isinstance(value, Moment):
        return [Node(value, value.kind)]
    for kind, name in _SYSTEM_TYPES:
        if isinstance(value, kind):
            return [Node(value, name)]
    raise TypeError(type(value).__name__)


def operand(node: Node) -> Any:
    """Give the value of an element as operators take it."""
    value = node.value
    if node.type in _DATES and isinstance(value, str):
        return Moment.read(value) or value
    if isinstance(value, dict) and node.is_a("Quantity"):
        number, unit = value.get("value"), value.get("code") or value.get("unit")
        if isinstance(number, int | Decimal):
            return Quantity(Decimal(number), unit or "1")
    return value


def single(items: list[Node]) -> Any:
    """Give the one value of a collection, ``None`` of an empty one.

    :raises Invalid: there are several.
    """
    if len(items) > 1:
        raise Invalid("FHIRPath: one value expected, and there are several")
    return operand(items[0]) if items else None


def truth(items: list[Node]) -> bool | None:
    """Take a collection as a criterion; a single value that is no boolean is true."""
    value = single(items)
    if value is None:
        return bool(items) or None
    return value if isinstance(value, bool) else True


def equal(left: list[Node], right: list[Node], budget: Budget) -> bool | None:
    """``=``."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    found: bool | None = True
    for one, other in zip(left, right, strict=True):
        verdict = same(one, other, budget)
        if verdict is False:
            return False
        if verdict is None:
            found = None
    return found


def same(one: Node, other: Node, budget: Budget) -> bool | None:
    """Whether two elements are equal; ``None`` when precision leaves it open."""
    left, right = operand(one), operand(other)
    if isinstance(left, Moment) and isinstance(right, Moment):
        order = left.compared(right)
        return None if order is None else order == 0
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        return left.value == right.value if left.unit == right.unit else None
    if left is None or right is None:
        return None
    return _same_json(left, right, budget)


def _same_json(left: Any, right: Any, budget: Budget) -> bool:
    budget.spend()
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(
            _same_json(value, right[key], budget) for key, value in left.items()
        )
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(
            _same_json(one, other, budget)
            for one, other in zip(left, right, strict=True)
        )
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, str):
        budget.spend_text(len(left))
    return bool(left == right)


def equivalent(left: list[Node], right: list[Node], budget: Budget) -> bool:
    """``~``: strings without regard to case, collections without regard to order."""
    if len(left) != len(right):
        return False
    budget.spend(len(left) * len(right))
    rest = list(right)
    for one in left:
        match = next((other for other in rest if _alike(one, other, budget)), None)
        if match is None:
            return False
        rest.remove(match)
    return True


def _alike(one: Node, other: Node, budget: Budget) -> bool:
    left, right = operand(one), operand(other)
    if isinstance(left, str) and isinstance(right, str):
        budget.spend_text(len(left) + len(right))
        return " ".join(left.casefold().split()) == " ".join(right.casefold().split())
    return same(one, other, budget) is True


def compare(operator: str, left: list[Node], right: list[Node]) -> bool | None:
    """``<``, ``>``, ``<=`` and ``>=``."""
    one, other = single(left), single(right)
    if one is None or other is None:
        return None
    order = _order(one, other)
    if order is None:
        return None
    return {"<": order < 0, ">": order > 0, "<=": order <= 0, ">=": order >= 0}[
        operator
    ]


def _order(one: Any, other: Any) -> int | None:
    if isinstance(one, Moment) and isinstance(other, Moment):
        return one.compared(other)
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        if one.unit != other.unit:
            return None
        one, other = one.value, other.value
    comparable = (_is_number(one) and _is_number(other)) or (
        isinstance(one, str) and isinstance(other, str)
    )
    if not comparable:
        raise Invalid("FHIRPath: values of different types cannot be ordered")
    return 0 if one == other else (-1 if one < other else 1)


def arithmetic(operator: str, left: list[Node], right: list[Node]) -> Any:
    """``+ - * / div mod`` on numbers, ``+`` and ``&`` on strings."""
    one, other = single(left), single(right)
    if operator == "&":
        one, other = "" if one is None else one, "" if other is None else other
    if one is None or other is None:
        return None
    if isinstance(one, str) and isinstance(other, str) and operator in "+&":
        return one + other
    if not _is_number(one) or not _is_number(other) or operator == "&":
        raise Invalid(f"FHIRPath: {operator} is not supported between these values")
    return _calculate(operator, one, other)


def _calculate(operator: str, one: Any, other: Any) -> int | Decimal | None:
    if operator in ("/", "div", "mod") and other == 0:
        return None
    result = _NUMERIC[operator](Decimal(one), Decimal(other))
    if not result.is_finite():
        return None
    whole = isinstance(one, int) and isinstance(other, int) and operator != "/"
    return integer(result) if whole or operator == "div" else result


_NUMERIC: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": _ARITHMETIC.add,
    "-": _ARITHMETIC.subtract,
    "*": _ARITHMETIC.multiply,
    "/": _ARITHMETIC.divide,
    "div": lambda one, other: _truncated(_ARITHMETIC.divide(one, other)),
    "mod": lambda one, other: _ARITHMETIC.subtract(
        one,
        _ARITHMETIC.multiply(other, _truncated(_ARITHMETIC.divide(one, other))),
    ),
}


def _truncated(number: Decimal) -> Decimal:
    if not number.is_finite() or number.adjusted() > _ARITHMETIC.prec:
        return number
    return number.to_integral_value("ROUND_DOWN")


def integer(number: Decimal | int) -> int | None:
    """Make an integer of a number; ``None`` when it is none, or too large."""
    if isinstance(number, Decimal) and (
        not number.is_finite() or number.adjusted() > 20 or number != int(number)
    ):
        return None
    whole = int(number)
    return whole if abs(whole) <= _LARGEST_INTEGER else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def logical(operator: str, left: bool | None, right: bool | None) -> bool | None:
    """``and or xor implies``, in three-valued logic."""
    if operator == "and":
        if left is False or right is False:
            return False
        return None if left is None or right is None else True
    if operator == "xor":
        return None if left is None or right is None else left is not right
    if operator == "implies":
        left = None if left is None else not left
    if left or right:
        return True
    return None if left is None or right is None else False
