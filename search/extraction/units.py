"""Units of measure that mean the same: https://ucum.org/ucum.

A unit has a canonical one, that of its dimension, in which its values can be compared.
The library that reads UCUM's grammar and has its table of units is loaded when the first
unit comes that is not canonical itself.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache
from typing import Any

from fyr.core.caching import cached_if_short
from fyr.search.extraction.rows import number

UCUM = "http://unitsofmeasure.org"
#: Canonical units, one a dimension; others are measured in UCUM's base units. The index
#: keeps what is written in a canonical unit once: these are what most records have.
#: Changed only together with a new index.
CANONICAL = (
    "kg cm mL mm[Hg] kg/m2 Cel % a /min mL/min mg/dL mmol/L U/L 10*3/uL mmol m[iU]/L"
).split()
#: Scales that begin elsewhere: kelvins of a degree, and of its zero.
_SHIFTED: Mapping[str, tuple[Fraction, Fraction]] = {
    "Cel": (Fraction(1), Fraction("273.15")),
    "[degF]": (Fraction(5, 9), Fraction("459.67") * 5 / 9),
    "[degRe]": (Fraction(5, 4), Fraction("273.15")),
}
#: UCUM takes it for a number; here what is counted is no amount of substance.
_OWN_DIMENSION = "mol"
#: A longer code, or a higher power, is no unit that somebody measures in.
_LONGEST, _HIGHEST = 50, 99
#: Exact while converting; then as many digits as two ways of converting agree on.
_EXACT = Context(prec=60)
_KEPT = Context(prec=14)
_LOADING = threading.RLock()


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit, by what makes its values those of its canonical unit."""

    canonical: str
    factor: Decimal = Decimal(1)
    offset: Decimal = Decimal(0)

    @property
    def is_canonical(self) -> bool:
        """Whether values stay as they are."""
        return self.factor == 1 and self.offset == 0

    def convert(self, value: Decimal) -> float:
        """Give a value in the canonical unit, as the databases keep it."""
        if self.is_canonical:
            return number(value)
        return number(_KEPT.plus(_EXACT.fma(value, self.factor, self.offset)))

    def of(self, value: Decimal, other: "Unit") -> Decimal:
        """Give in this unit a value that is in another of the same dimension."""
        canonical = _EXACT.fma(value, other.factor, other.offset)
        return _EXACT.divide(_EXACT.subtract(canonical, self.offset), self.factor)


@cached_if_short(4096)
def unit(code: str) -> Unit | None:
    """Tell what a UCUM code means; ``None``: it is none, or has no scale to convert.

    Logarithmic units (``[pH]``, ``dB``) are not converted. Arbitrary units (``[iU]``)
    are comparable with themselves alone.
    """
    if code in CANONICAL:
        return Unit(code)
    if not 0 < len(code) <= _LONGEST:
        return None
    with _LOADING:
        measured = _measured(code)
        if measured is None:
            return None
        canonical, its = _canonical().get(
            measured.dimension, (measured.dimension, _Size())
        )
    return Unit(
        canonical,
        _decimal(measured.factor / its.factor),
        _decimal((measured.offset - its.offset) / its.factor),
    )


def _decimal(value: Fraction) -> Decimal:
    return _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))


@dataclass(frozen=True, slots=True)
class _Size:
    """How much a unit is, in powers of base units."""

    factor: Fraction = Fraction(1)
    powers: Mapping[str, int] = field(default_factory=dict)
    offset: Fraction = Fraction(0)

    def times(self, other: "_Size", power: int = 1) -> "_Size":
        """Multiply by another to a power.

        :raises ValueError: the power is too high.
        """
        powers = Counter(self.powers)
        for name, each in other.powers.items():
            powers[name] += each * power
        if abs(power) > _HIGHEST or any(abs(p) > _HIGHEST for p in powers.values()):
            raise ValueError(power)
        return _Size(self.factor * other.factor**power, powers)

    @property
    def dimension(self) -> str:
        """Name what is measured: ``g.m-3``."""
        named = (
            f"{name}{'' if power == 1 else power}"
            for name, power in self.powers.items()
            if power
        )
        return ".".join(sorted(named)) or "1"


@cache
def _canonical() -> dict[str, tuple[str, _Size]]:
    """Tell the canonical unit of each dimension that has one, and its size."""
    sizes = {code: _measured(code) for code in CANONICAL}
    return {size.dimension: (code, size) for code, size in sizes.items() if size}


def _measured(code: str) -> _Size | None:
    """Tell the size of a unit; ``None``: it has none."""
    if code in _SHIFTED:
        factor, offset = _SHIFTED[code]
        return _Size(factor, {"K": 1}, offset)
    try:
        return _reader()(code)
    except Exception:
        # Whatever is said of a text that anybody may write: it is no unit.
        return None


@cache
def _reader() -> Callable[[str], _Size]:
    """Load the library: UCUM's grammar, and the table of its units."""
    from ucumvert import parser, xml_util  # type: ignore[import-untyped]

    grammar = parser.get_ucum_parser()
    table = {one.code_cs: one for one in xml_util.get_units_with_full_definition()}
    prefixes = {
        one.attrib["Code"]: Fraction(one.find("{*}value").attrib["value"])
        for one in xml_util.root.findall(".//{*}prefix")
    }

    @cache
    def atom(code: str) -> _Size:
        one = table.get(code)
        if one is None or code == _OWN_DIMENSION:
            return _Size(powers={code: 1})
        if one.is_arbitrary and one.defining_unit == "1":
            return _Size(powers={code: 1})
        if one.is_special:
            raise ValueError(code)
        return _Size(Fraction(one.conversion_factor)).times(read(one.defining_unit))

    class Sizes(parser.UnitsTransformer):  # type: ignore[misc]
        """Makes a size of what the grammar finds."""

        def simple_unit(self, args: Any) -> _Size:
            *before, last = args
            if last.type == "FACTOR":
                return _Size(Fraction(int(last)))
            return _Size(prefixes[before[0]] if before else Fraction(1)).times(
                atom(str(last))
            )

        def annotatable(self, args: Any) -> _Size:
            return _Size().times(_size(args[0]), int(args[1]) if args[1:] else 1)

        def component(self, args: Any) -> _Size:
            return _size(args[0])

        def term(self, args: Any) -> _Size:
            return _size(args[0]).times(_size(args[2]), 1 if args[1] == "." else -1)

        def main_term(self, args: Any) -> _Size:
            return _Size().times(_size(args[-1]), -1 if args[1:] else 1)

    def read(code: str) -> _Size:
        made: _Size = Sizes().transform(parser.parse_ucum(code, grammar))
        return made

    return read


def _size(found: Any) -> _Size:
    """Give the size of a part; that of an annotation is 1."""
    return found if isinstance(found, _Size) else _Size()
