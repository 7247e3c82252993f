"""Values of FHIR as rows of the index tables.

Which elements a parameter type reads, and how, is the table in
https://hl7.org/fhir/R4/search.html#table. A value is JSON that has passed validation.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fyr.search.extraction.positions import on_sphere
from fyr.search.extraction.quantities import QUANTITIES, ends_of_range
from fyr.search.extraction.rows import NO_SYSTEM, Convert, Rows, number, system_of
from fyr.search.moments import EARLIEST, LATEST, range_of
from fyr.search.references import canonical_row, target_of
from fyr.search.texts import bounded, indexed


def _token(value: Any, param: int, rows: Rows) -> None:
    rows.token.append((param, bounded(value), NO_SYSTEM))


def _boolean(value: Any, param: int, rows: Rows) -> None:
    rows.token.append((param, "true" if value else "false", NO_SYSTEM))


def _coding(value: Any, param: int, rows: Rows) -> None:
    code = value.get("code", "")
    if code or "system" in value:
        rows.token.append((param, bounded(code), system_of(value)))


def _concept(value: Any, param: int, rows: Rows) -> None:
    for one in value.get("coding", ()):
        _coding(one, param, rows)


def identifier(value: Any, param: int, rows: Rows) -> None:
    """Index an Identifier, or a ContactPoint: a value in a system."""
    code = value.get("value", "")
    if code or "system" in value:
        rows.token.append((param, bounded(code), system_of(value)))


def bound_code(systems: Mapping[str, int]) -> Convert:
    """Index a code whose value set tells its system.

    :param systems: code -> number of its system.
    """

    def convert(value: Any, param: int, rows: Rows) -> None:
        rows.token.append((param, bounded(value), systems.get(value, NO_SYSTEM)))

    return convert


def _string(value: Any, param: int, rows: Rows) -> None:
    folded, original = indexed(value)
    if folded:
        rows.string.append((param, folded, original))


def _date(value: Any, param: int, rows: Rows) -> None:
    rows.date.append((param, *range_of(value)))


def _period(value: Any, param: int, rows: Rows) -> None:
    if "start" in value or "end" in value:
        rows.date.append((param, *_ends(value)))


def _ends(period: Any) -> tuple[int, int]:
    low = range_of(period["start"])[0] if "start" in period else EARLIEST
    high = range_of(period["end"])[1] if "end" in period else LATEST
    return low, high


def _timing(value: Any, param: int, rows: Rows) -> None:
    """Index a Timing as the range from its first to its last moment."""
    ranges = [range_of(one) for one in value.get("event", ()) if one is not None]
    bounds = value.get("repeat", {}).get("boundsPeriod")
    if bounds:
        ranges.append(_ends(bounds))
    if ranges:
        low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
        rows.date.append((param, low, high))


def _number(value: Any, param: int, rows: Rows) -> None:
    exact = number(value)
    rows.number.append((param, exact, exact))


def _number_range(value: Any, param: int, rows: Rows) -> None:
    rows.number.append((param, *ends_of_range(value)))


def _reference(value: Any, param: int, rows: Rows) -> None:
    text = value.get("reference")
    if text:
        kind, target = target_of(text)
        rows.reference.append((param, bounded(target), kind))


def _canonical(value: Any, param: int, rows: Rows) -> None:
    kind, target = canonical_row(value)
    rows.reference.append((param, bounded(target), bounded(kind)))


def _attachment(value: Any, param: int, rows: Rows) -> None:
    if value.get("url"):
        _canonical(value["url"], param, rows)


def _uri(value: Any, param: int, rows: Rows) -> None:
    rows.uri.append((param, bounded(value)))


def _position(value: Any, param: int, rows: Rows) -> None:
    if "latitude" in value and "longitude" in value:
        point = on_sphere(float(value["latitude"]), float(value["longitude"]))
        rows.position.append((param, *point))


def _each(types: Iterable[str], convert: Convert) -> dict[str, Convert]:
    return dict.fromkeys(types, convert)


_URIS = "uri url canonical oid uuid".split()

#: parameter type and FHIR type -> elements whose values stand for the whole
PARTS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("string", "HumanName"): ("family", "given", "prefix", "suffix", "text"),
    ("string", "Address"): tuple(
        "text line city district state postalCode country".split()
    ),
}
#: FHIR types of which one value gives at most one row
SINGLE = frozenset(
    "boolean code string markdown id uri url canonical oid uuid Coding Identifier"
    " ContactPoint date dateTime instant Period Timing decimal integer positiveInt"
    " unsignedInt Range Money Reference Attachment".split()
)

#: parameter type -> FHIR type -> how its values become rows
CONVERTERS: Mapping[str, Mapping[str, Convert]] = {
    "token": {
        **_each(["code", "string", "id", *_URIS], _token),
        "boolean": _boolean,
        "Coding": _coding,
        "CodeableConcept": _concept,
        "Identifier": identifier,
        "ContactPoint": identifier,
    },
    "string": {
        **_each(["string", "markdown", "code"], _string),
    },
    "date": {
        **_each(["date", "dateTime", "instant"], _date),
        "Period": _period,
        "Timing": _timing,
    },
    "number": {
        **_each(["decimal", "integer", "positiveInt", "unsignedInt"], _number),
        "Range": _number_range,
    },
    "quantity": QUANTITIES,
    "reference": {
        "Reference": _reference,
        **_each(_URIS, _canonical),
        "Attachment": _attachment,
    },
    "uri": _each(_URIS, _uri),
    "special": {"BackboneElement": _position},
}
