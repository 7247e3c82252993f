"""Units of measure that mean the same: https://ucum.org/ucum, by way of ucumvert and pint.

A unit has a canonical one, that of its dimension, in which its values can be compared.
The library costs half a second and 20 MB, so that it is loaded when the first unit comes
that is not canonical itself.
"""

import re
import threading
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from fyr.search.rows import number

UCUM = "http://unitsofmeasure.org"
#: Canonical units, one a dimension; others are measured in units of the library's. The
#: index keeps what is written in a canonical unit once: these are what most records have.
#: Changed only together with a new index.
CANONICAL = (
    "kg cm mL mm[Hg] kg/m2 Cel % a /min mL/min mg/dL mmol/L U/L 10*3/uL mmol m[iU]/L"
).split()
#: A longer code is no unit that somebody measures in, and costs time.
_LONGEST = 50
#: Outside of them, ' and '' are minutes and seconds of arc: to the library, of time.
_IN_BRACKETS = re.compile(r"\[[^]]*\]|\{[^}]*\}")
#: Exact while converting; then as many digits as two ways of converting agree on.
_EXACT = Context(prec=60)
_KEPT = Context(prec=14)
#: Base units of the library that UCUM has not.
_NO_UNIT = frozenset({"count"})
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


@lru_cache(maxsize=4096)
def unit(code: str) -> Unit | None:
    """Tell what a UCUM code means; ``None``: it is none, or has no scale to convert.

    Logarithmic units (``[pH]``, ``dB``) are not converted. Arbitrary units (``[iU]``)
    are comparable with themselves alone.
    """
    if code in CANONICAL:
        return Unit(code)
    if not 0 < len(code) <= _LONGEST or "'" in _IN_BRACKETS.sub("", code):
        return None
    with _LOADING:
        measured = _in_base_units(code)
        if measured is None:
            return None
        dimension, factor, offset = measured
        known = _canonical().get(dimension)
        if known is None:
            return Unit(dimension, factor, offset)
        canonical, its_factor, its_offset = known
        return Unit(
            canonical,
            _EXACT.divide(factor, its_factor),
            _EXACT.divide(_EXACT.subtract(offset, its_offset), its_factor),
        )


@cache
def _canonical() -> dict[str, tuple[str, Decimal, Decimal]]:
    """Tell the canonical unit of each dimension that has one, and how it is measured."""
    found = {}
    for code in CANONICAL:
        measured = _in_base_units(code)
        if measured is not None:
            dimension, factor, offset = measured
            found[dimension] = (code, factor, offset)
    return found


def _in_base_units(code: str) -> tuple[str, Decimal, Decimal] | None:
    """Tell the dimension of a unit, and factor and offset to its base units."""
    registry, read = _library()
    try:
        measure = read(code)
        size = getattr(measure, "magnitude", Decimal(1))
        units = getattr(measure, "units", registry.dimensionless)
        at = [
            registry.Quantity(size * times, units).to_base_units()
            for times in (Decimal(0), Decimal(1), Decimal(2))
        ]
    except Exception:
        # Whatever the library says of a text that anybody may write: it is no unit.
        return None
    zero, one, two = (Decimal(each.magnitude) for each in at)
    straight = abs(two - one - (one - zero)) <= abs(one) * Decimal("1e-20")
    if one <= zero or not straight:
        return None
    return _dimension(at[0].units), one - zero, zero


def _dimension(units: Any) -> str:
    """Name a dimension by its base units: ``kilogram.meter-3``."""
    powers = {
        name: int(power)
        for name, power in units._units.items()
        if name not in _NO_UNIT and power == int(power)
    }
    named = (f"{name}{powers[name] if powers[name] != 1 else ''}" for name in powers)
    return ".".join(sorted(named)) or "1"


@cache
def _library() -> tuple[Any, Any]:
    """Load the library: a registry of units, and what reads a UCUM code into it."""
    import pint
    import ucumvert  # type: ignore[import-untyped]
    from ucumvert.parser import parse_ucum  # type: ignore[import-untyped]
    from ucumvert.xml_util import (  # type: ignore[import-untyped]
        get_units_with_full_definition,
    )

    registry: Any = pint.UnitRegistry(non_int_type=Decimal, on_redefinition="ignore")
    registry.load_definitions(Path(ucumvert.__file__).parent / "pint_ucum_defs.txt")
    parser = ucumvert.get_ucum_parser()

    class Exact(ucumvert.UcumToPintTransformer):  # type: ignore[misc]
        """Keeps numbers exact from the first unit on."""

        def simple_unit(self, args: Any) -> Any:
            made = super().simple_unit(args)
            size = Decimal(getattr(made, "magnitude", made))
            return registry.Quantity(size, getattr(made, "units", None))

    reader = Exact(ureg=registry)
    for one in get_units_with_full_definition():
        if one.is_arbitrary:
            # The library takes them for plain numbers.
            name = reader.transform(parse_ucum(one.code_cs, parser)).units
            registry.define(f"{name} = [arbitrary_{name}]")
    return registry, lambda code: reader.transform(parse_ucum(code, parser))
