"""Answers as JSON, CSV (https://www.rfc-editor.org/rfc/rfc4180) and NDJSON.

In JSON what is told of the whole stands beside the rows; the other two have rows alone,
and the whole is told by headers (:func:`headers`).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from typing import Any, Literal, get_args

import orjson

from fyr.search.reporting.asking.answering import Answer
from fyr.search.reporting.asking.desk import Told

#: Whole numbers below this are themselves as floating point.
_EXACT = 2**53
Format = Literal["json", "csv", "ndjson"]
FORMATS: tuple[Format, ...] = get_args(Format)
CONTENT_TYPES: Mapping[Format, str] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8; header=present",
    "ndjson": "application/x-ndjson",
}


def written(told: Told, format: Format) -> bytes:
    """Write an answer."""
    return _WRITERS[format](told)


def headers(told: Told) -> dict[str, str]:
    """Tell by headers what rows alone do not."""
    found = {"fyr-as-of": told.as_of, "fyr-not-indexed": str(told.not_indexed)}
    if told.answer.next is not None:
        found["fyr-next-page"] = told.answer.next
    approximate = [one.name for one in told.answer.columns if one.approximate]
    if approximate:
        found["fyr-approximate"] = ", ".join(approximate)
    if told.answer.least:
        found["fyr-least-patients"] = str(told.answer.least)
    return found


def _json(told: Told) -> bytes:
    answer = told.answer
    whole: dict[str, Any] = {
        "from": told.type,
        "asOf": told.as_of,
        "notIndexed": told.not_indexed,
        "columns": [
            {"name": one.name, "type": one.type, "approximate": one.approximate}
            for one in answer.columns
        ],
        "rows": list(_objects(answer)),
    }
    if answer.least:
        whole["leastPatients"] = answer.least
    if answer.next is not None:
        whole["next"] = answer.next
    return orjson.dumps(whole)


def _ndjson(told: Told) -> bytes:
    option = orjson.OPT_APPEND_NEWLINE
    return b"".join(orjson.dumps(one, option=option) for one in _objects(told.answer))


def _csv(told: Told) -> bytes:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow([one.name for one in told.answer.columns])
    writer.writerows(map(_cells, told.answer.rows))
    return text.getvalue().encode("utf-8", "surrogatepass")


def _cells(row: Sequence[Any]) -> list[Any]:
    return list(map(_cell, row))


def _cell(value: Any) -> Any:
    if isinstance(value, list | bool):
        return orjson.dumps(value).decode()
    # Numbers of an index are all of one kind; to a reader 1910 is no measurement.
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    return value


def _objects(answer: Answer) -> list[dict[str, Any]]:
    names = [one.name for one in answer.columns]
    return [dict(zip(names, row, strict=True)) for row in answer.rows]


_WRITERS: Mapping[Format, Callable[[Told], bytes]] = {
    "json": _json,
    "csv": _csv,
    "ndjson": _ndjson,
}
