"""FHIR's values as values of columns: https://hl7.org/fhir/R4/datatypes.html.

What each type of column takes is the table at :class:`~fyr.core.declarations.projections.Column`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from fyr.search.moments import range_of
from fyr.search.references import CONTAINED, target_of

#: JSON of an element -> the values of a column.
Convert = Callable[[Any], Iterable[Any]]


def _itself(value: Any) -> Iterable[Any]:
    return (value,)


def _truth(value: Any) -> Iterable[str]:
    return ("true" if value else "false",)


def _coding(value: Any) -> Iterable[str]:
    code = value.get("code")
    return (f"{value.get('system', '')}|{code}",) if code else ()


def _codings(value: Any) -> Iterable[str]:
    return (text for one in value.get("coding", ()) for text in _coding(one))


def _identifier(value: Any) -> Iterable[str]:
    text = value.get("value")
    return (f"{value.get('system', '')}|{text}",) if text else ()


def _reference(value: Any) -> Iterable[str]:
    text = value.get("reference")
    if not text:
        return ()
    kind, target = target_of(text)
    if kind == CONTAINED:
        return ()
    return (f"{kind}/{target}" if kind else target,)


def patients(value: Any) -> Iterable[str]:
    """Tell which patient a Reference leads to, if it leads to one."""
    return (one for one in _reference(value) if one.startswith("Patient/"))


def _number(value: Any) -> Iterable[float]:
    return (float(value),)


def _quantity(value: Any) -> Iterable[float]:
    return (float(value["value"]),) if value.get("value") is not None else ()


def _date(value: Any) -> Iterable[int]:
    return (range_of(value)[0],)


def _start(value: Any) -> Iterable[int]:
    return _date(value["start"]) if value.get("start") else ()


def _year(value: Any) -> Iterable[float]:
    return (float(value[:4]),)


def _text_of(value: Any) -> Iterable[str]:
    return (value["text"],) if value.get("text") else ()


def _each(types: str, convert: Convert) -> dict[str, Convert]:
    return dict.fromkeys(types.split(), convert)


#: type of a column -> FHIR type -> how its values become the column's
CONVERTERS: Mapping[str, Mapping[str, Convert]] = {
    "keyword": {
        **_each("code string id uri url canonical oid uuid", _itself),
        "boolean": _truth,
        "Coding": _coding,
        "CodeableConcept": _codings,
        "Identifier": _identifier,
        "Reference": _reference,
    },
    "number": {
        **_each("decimal integer positiveInt unsignedInt", _number),
        **_each("Quantity Age Count Distance Duration Money", _quantity),
    },
    "date": {**_each("date dateTime instant", _date), "Period": _start},
    "boolean": {"boolean": _itself},
    "text": {**_each("string markdown", _itself), "CodeableConcept": _text_of},
    # Of a column that says so: only the year of a date.
    "year": _each("date dateTime instant", _year),
    # Of the column that all types have.
    "patient": {"Reference": patients},
}
