"""FHIRPath's functions on single values: http://hl7.org/fhirpath/N1/#string-manipulation.

Strings, numbers, conversions and the clock.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fyr.core.errors import Invalid
from fyr.core.model.fhirpath import operators
from fyr.core.model.fhirpath.grammar import Tree
from fyr.core.model.fhirpath.operators import computed
from fyr.core.model.fhirpath.registry import Items, function, integer, string
from fyr.core.model.fhirpath.values import Moment, Quantity

if TYPE_CHECKING:
    from fyr.core.model.fhirpath.evaluation import Scope


# Strings


def _register_text(name: str, make: Callable[..., Any], *arity: int) -> None:
    """Register a function of one string and of strings as arguments."""

    @function(name, *arity)
    def apply(scope: "Scope", items: Items, *arguments: Tree) -> Items:
        text = string(items)
        given = [string(scope.run(argument)) for argument in arguments]
        if text is None or None in given:
            return []
        scope.budget.spend_text(len(text))
        return computed(make(text, *given))


_register_text("upper", str.upper)
_register_text("lower", str.lower)
_register_text("trim", str.strip)
_register_text("length", len)
_register_text("indexOf", str.find, 1)
_register_text("startsWith", str.startswith, 1)
_register_text("endsWith", str.endswith, 1)
_register_text("contains", lambda text, part: part in text, 1)


@function("replace", 2)
def _replace(scope: "Scope", items: Items, pattern: Tree, substitution: Tree) -> Items:
    text, old = string(items), string(scope.run(pattern))
    new = string(scope.run(substitution))
    if text is None or old is None or new is None:
        return []
    scope.budget.spend_text(len(text) + text.count(old) * len(new))
    return computed(text.replace(old, new))


@function("substring", 1, 2)
def _substring(scope: "Scope", items: Items, start: Tree, *length: Tree) -> Items:
    text, begin = string(items), integer(scope.run(start))
    if text is None or not 0 <= begin < len(text):
        return []
    scope.budget.spend_text(len(text))
    end = begin + max(0, integer(scope.run(length[0]))) if length else None
    return computed(text[begin:end])


@function("toChars")
def _to_chars(scope: "Scope", items: Items) -> Items:
    text = string(items) or ""
    scope.budget.spend(len(text))
    return [node for character in text for node in computed(character)]


@function("split", 1)
def _split(scope: "Scope", items: Items, separator: Tree) -> Items:
    text, mark = string(items), string(scope.run(separator))
    if text is None or not mark:
        return []
    scope.budget.spend(len(text))
    return [node for part in text.split(mark) for node in computed(part)]


@function("join", 0, 1)
def _join(scope: "Scope", items: Items, *separator: Tree) -> Items:
    mark = (string(scope.run(separator[0])) if separator else None) or ""
    parts = [string([item]) or "" for item in items]
    scope.budget.spend_text(sum(map(len, parts)) + len(mark) * len(parts))
    return computed(mark.join(parts))


# Numbers


def _register_number(name: str, make: Callable[[Decimal], Any]) -> None:
    @function(name)
    def apply(scope: "Scope", items: Items) -> Items:
        value = operators.single(items)
        if value is None:
            return []
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise Invalid(f"FHIRPath: {name}() is for numbers")
        number = Decimal(value)
        # Rounding writes out all digits, and an exponent can ask for billions.
        return [] if number.adjusted() > 30 else computed(make(number))


@function("abs")
def _abs(scope: "Scope", items: Items) -> Items:
    value = operators.single(items)
    if value is None:
        return []
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Invalid("FHIRPath: abs() is for numbers")
    return computed(value.copy_abs() if isinstance(value, Decimal) else abs(value))


_register_number("ceiling", lambda n: int(n.to_integral_value("ROUND_CEILING")))
_register_number("floor", lambda n: int(n.to_integral_value("ROUND_FLOOR")))
_register_number("truncate", lambda n: int(n.to_integral_value("ROUND_DOWN")))


# Conversion


def _as_string(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Quantity):
        return f"{value.value} '{value.unit}'"
    if isinstance(value, Moment):
        return value.text
    if isinstance(value, Decimal):
        return getattr(value, "text", str(value))
    return None if isinstance(value, dict) else str(value)


def _as_decimal(value: Any) -> Decimal | None:
    if isinstance(value, str):
        unsigned = value.removeprefix("-").removeprefix("+")
        if len(unsigned) > 40 or not unsigned.replace(".", "", 1).isascii():
            return None
        if not unsigned.replace(".", "", 1).isdigit() or unsigned[0] == ".":
            return None
        return Decimal(value)
    return Decimal(value) if isinstance(value, int | Decimal) else None


def _as_integer(value: Any) -> int | None:
    number = None if isinstance(value, str) and "." in value else _as_decimal(value)
    return None if number is None else operators.integer(number)


def _as_boolean(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    text = (_as_string(value) or "").lower()
    if text in ("true", "t", "yes", "y", "1", "1.0"):
        return True
    return False if text in ("false", "f", "no", "n", "0", "0.0") else None


def _as_moment(kinds: tuple[str, ...]) -> Callable[[Any], Moment | None]:
    def convert(value: Any) -> Moment | None:
        moment = Moment.read(value) if isinstance(value, str) else value
        return moment if isinstance(moment, Moment) and moment.kind in kinds else None

    return convert


def _register_conversion(name: str, convert: Callable[[Any], Any]) -> None:
    @function(f"to{name}")
    def to(scope: "Scope", items: Items) -> Items:
        value = operators.single(items)
        return [] if value is None else computed(convert(value))

    @function(f"convertsTo{name}")
    def converts_to(scope: "Scope", items: Items) -> Items:
        value = operators.single(items)
        return [] if value is None else computed(convert(value) is not None)


_register_conversion("String", _as_string)
_register_conversion("Decimal", _as_decimal)
_register_conversion("Integer", _as_integer)
_register_conversion("Boolean", _as_boolean)
_register_conversion("Date", _as_moment(("Date",)))
_register_conversion("DateTime", _as_moment(("Date", "DateTime")))
_register_conversion("Time", _as_moment(("Time",)))


# The clock


@function("now")
def _now(scope: "Scope", items: Items) -> Items:
    return computed(Moment.read(scope.now.isoformat(timespec="seconds")))


@function("today")
def _today(scope: "Scope", items: Items) -> Items:
    return computed(Moment.read(scope.now.date().isoformat()))
