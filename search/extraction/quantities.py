"""Quantities as rows: as they are written, and once more in their canonical unit.

https://hl7.org/fhir/R4/search.html#quantity. What is written in a canonical unit already
(``fyr.search.extraction.units``) has no second row.
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from fyr.search.extraction import units
from fyr.search.extraction.rows import (
    LARGEST,
    NO_SYSTEM,
    Convert,
    Rows,
    number,
    system_of,
)
from fyr.search.extraction.units import UCUM, Unit, unit
from fyr.search.hashes import hash64
from fyr.search.texts import bounded

UCUM_NUMBER = hash64(UCUM)
_CURRENCIES = hash64("urn:iso:std:iso:4217")
_NOT_CONVERTED = frozenset(units.CANONICAL)
#: Lowest and highest value; ``None``: there is no end.
Ends = tuple[Decimal | None, Decimal | None]
#: Element of a quantity that says its unit, and the values that it is about.
Measured = tuple[Any, Ends]


def ends_of_range(value: Any) -> tuple[float, float]:
    """Give the ends of a Range as the databases keep them."""
    return _kept(_range(value)[1])


def _exact(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


def _kept(ends: Ends) -> tuple[float, float]:
    low, high = ends
    return (
        -LARGEST if low is None else number(low),
        LARGEST if high is None else number(high),
    )


def _quantity(value: Any) -> Measured:
    """A comparator says that the value is not the number, but beyond it."""
    if "value" not in value:
        return None, (None, None)
    exact = _exact(value["value"])
    comparator = value.get("comparator", "")
    low = None if comparator in ("<", "<=") else exact
    high = None if comparator in (">", ">=") else exact
    return value, (low, high)


def _range(value: Any) -> Measured:
    """Where the ends have different units, the high one is put in that of the low."""
    low, high = value.get("low", {}), value.get("high", {})
    from_, to = _end(low), _end(high)
    written = {_unit(end) for end in (low, high)} - {(None, None)}
    if to is not None and len(written) > 1:
        one, other = _known(low), _known(high)
        same = one and other and one.canonical == other.canonical
        to = one.of(to, other) if one and other and same else None
    return low or high, (from_, to)


def _end(measure: Any) -> Decimal | None:
    return _exact(measure["value"]) if "value" in measure else None


def _unit(measure: Any) -> tuple[Any, ...]:
    return measure.get("system"), measure.get("code") or measure.get("unit")


def _known(measure: Any) -> Unit | None:
    return unit(measure.get("code", "")) if measure.get("system") == UCUM else None


def _sampled(value: Any) -> Measured:
    """Samples are searched by their bounds, as the parameters' descriptions say.

    ``L`` and ``U`` are points below and beyond what the device can tell.
    """
    origin, words = value.get("origin", {}), set(value.get("data", "").split())
    known = [point for one in words if (point := _point(one)) is not None]
    low = value.get("lowerLimit") if "L" in words else min(known, default=None)
    high = value.get("upperLimit") if "U" in words else max(known, default=None)
    if not known and not words & {"L", "U"}:
        return None, (None, None)
    start, factor = _exact(origin.get("value", 0)), _exact(value.get("factor", 1))
    ends = [
        None if end is None else start + factor * _exact(end) for end in (low, high)
    ]
    return origin, (ends[0], ends[1]) if factor > 0 else (ends[1], ends[0])


def _point(word: str) -> float | None:
    """Read a point; what is none, as ``E``, an error, is passed over."""
    try:
        point = float(word)
    except ValueError:
        return None
    return point if math.isfinite(point) else None


def _as_written(measured: Any, value: Any, param: int, rows: Rows) -> None:
    """Index by the code, and by the unit where that is written otherwise."""
    measure, ends = measured(value)
    if not measure:
        return
    low, high = _kept(ends)
    code, written = measure.get("code", ""), measure.get("unit", "")
    if code or not written:
        rows.quantity.append((param, low, high, bounded(code), system_of(measure)))
    if written and written != code:
        rows.quantity.append((param, low, high, bounded(written), NO_SYSTEM))


def _in_canonical(measured: Any, value: Any, param: int, rows: Rows) -> None:
    """Index in the canonical unit, when it is not what is written."""
    if value.get("code") in _NOT_CONVERTED:
        return
    measure, (low, high) = measured(value)
    known = _known(measure) if measure else None
    if known is None or known.canonical == measure["code"]:
        return
    ends = (
        -LARGEST if low is None else known.convert(low),
        LARGEST if high is None else known.convert(high),
    )
    rows.quantity.append((param, *ends, known.canonical, UCUM_NUMBER))


def _money(value: Any, param: int, rows: Rows) -> None:
    if "value" in value:
        exact = number(value["value"])
        row = (param, exact, exact, value.get("currency", ""), _CURRENCIES)
        rows.quantity.append(row)


_MEASURED = {
    **dict.fromkeys("Quantity Age Duration Count Distance".split(), _quantity),
    "Range": _range,
    "SampledData": _sampled,
}
#: FHIR type -> how it becomes rows as it is written
QUANTITIES: Mapping[str, Convert] = {
    **{name: partial(_as_written, read) for name, read in _MEASURED.items()},
    "Money": _money,
}
#: FHIR type -> how it becomes rows in its canonical unit
CANONICAL: Mapping[str, Convert] = {
    name: partial(_in_canonical, read) for name, read in _MEASURED.items()
}
