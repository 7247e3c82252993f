"""Quantities in each other's units: https://hl7.org/fhir/R4/datatypes.html#Quantity.

For who holds what was measured against limits: whether it fits, and what it is there.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fyr.search.extraction.units import UCUM, Unit, unit


def unit_of(quantity: Mapping[str, Any]) -> str:
    """Tell the unit of a Quantity; empty: it has none.

    It is the code alone where that is one of UCUM, or may be one as no system is named.
    Codes of other systems have theirs behind them, ``% (http://example.org)``: no code of
    UCUM has a blank, so that such a unit is comparable with itself alone.
    """
    code, system = str(quantity.get("code") or ""), quantity.get("system")
    return code if not code or system in (None, "", UCUM) else f"{code} ({system})"


def is_of_ucum(unit: str) -> bool:
    """Whether a unit, as :func:`unit_of` tells it, has a code that may be one of UCUM."""
    return bool(unit) and " (" not in unit


def fits(given: str, wanted: str) -> bool:
    """Whether values in a unit can be compared with those in another one.

    :param given: as :func:`unit_of` tells it; so is the other.
    """
    return given == wanted or _both(given, wanted) is not None


def converted(number: Decimal, given: str, wanted: str) -> Decimal | None:
    """Tell a value in another unit; ``None``: it cannot be converted."""
    found = _both(given, wanted)
    return None if found is None else found[1].of(number, found[0])


def _both(given: str, wanted: str) -> tuple[Unit, Unit] | None:
    """Tell two units of one dimension."""
    one, other = unit(given), unit(wanted)
    if one is None or other is None or one.canonical != other.canonical:
        return None
    return one, other
