"""Points of the earth: https://hl7.org/fhir/R4/location.html#positional-searching.

A point is kept as one on a sphere of radius 1. Points are near each other when the
straight line between them, through the earth, is short; so neither the date line nor the
poles are special. The earth is taken for a sphere, which is right to 0.5 %.
"""

import math
from decimal import Decimal

from fyr.search.extraction.units import unit
from fyr.search.tree import Near

#: Mean radius in metres.
_EARTH = 6_371_008.8
#: What is near when no distance is said, and the unit when none is.
_DISTANCE, _UNIT = 50.0, "km"
#: Rounding may not lose the point itself.
_SLACK = 1e-9


def on_sphere(latitude: float, longitude: float) -> tuple[float, float, float]:
    """Give the place on the sphere: x towards 0° 0°, z towards the north pole."""
    north, east = math.radians(latitude), math.radians(longitude)
    flat = math.cos(north)
    return flat * math.cos(east), flat * math.sin(east), math.sin(north)


def near(parts: list[str]) -> Near:
    """Read latitude, longitude, distance and its unit, the last two if they are said.

    :raises ValueError: one of them is missing, no number, or beyond its range.
    """
    if not 2 <= len(parts) <= 4:
        raise ValueError("is [latitude]|[longitude]|[distance]|[unit]")
    latitude = _number(parts[0], "latitude", 90)
    longitude = _number(parts[1], "longitude", 180)
    said = [*parts[2:], "", ""]
    distance = _number(said[0], "distance", math.inf) if said[0] else _DISTANCE
    if distance < 0:
        raise ValueError(f"distance {said[0][:40]!r} is less than nothing")
    angle = min(distance * _metres(said[1] or _UNIT) / _EARTH, math.pi)
    return Near(*on_sphere(latitude, longitude), 2 * math.sin(angle / 2) + _SLACK)


def _number(text: str, name: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= most or math.isinf(value):
        raise ValueError(f"{name} {text[:40]!r} is no number within its range")
    return value


def _metres(code: str) -> float:
    """Tell how many metres a unit of length has."""
    known, metre = unit(code), unit("m")
    if known is None or metre is None or known.canonical != metre.canonical:
        raise ValueError(
            f"{code[:40]!r} is no UCUM unit of length, such as km, m or [mi_us]"
        )
    return known.convert(Decimal(1)) / metre.convert(Decimal(1))
