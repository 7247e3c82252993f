"""``Observation/$lastn``: https://hl7.org/fhir/R4/observation-operation-lastn.html.

The index tells which measurements are the last ones of each code; they are read by a search
on behalf of the caller, with the same patient, so that nobody gets what a search would not
give. A code is the first coding of a measurement; those without one are a group, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson

from fyr.core import Invalid, Operation, OperationCall, OperationParameter
from fyr.core.model import json
from fyr.search.reporting.asking.desk import Caller, Told

if TYPE_CHECKING:
    from fyr.core import Resource
    from fyr.plugins.reporting.asking import Questions

_DEFINITION = "http://hl7.org/fhir/OperationDefinition/Observation-lastn"
_WHOM, _WHAT = ("patient", "subject"), ("category", "code")
#: Measurements that are read in one search.
_AT_ONCE = 100
#: Of one patient; more are refused.
_MOST = 50_000

#: Id, codes and moment of a measurement, as the index tells them.
_Row = Sequence[Any]


def lastn(questions: Callable[[], Questions]) -> Operation:
    """Make the operation.

    :param questions: gives what asks the index, once the plugin has started.
    """
    criteria = tuple(
        OperationParameter(name, "string", max="*", documentation="As in a search.")
        for name in (*_WHOM, *_WHAT)
    )
    most = OperationParameter(
        "max", "positiveInt", documentation="Measurements of each code; 1."
    )
    return Operation(
        "lastn",
        lambda call: _answer(call, questions()),
        frozenset({"type"}),
        frozenset({"Observation"}),
        definition=_DEFINITION,
        documentation="Gives the last measurements of each code of a patient.",
        parameters=(
            most,
            *criteria,
            OperationParameter("return", "Bundle", 1, "1", "out"),
        ),
    )


def _answer(call: OperationCall, questions: Questions) -> Resource:
    asked = _criteria(call)
    told, rows = _found(questions, asked, call)
    wanted = [row[0] for row in _last(rows, int(call.value("max", 1)))]
    found = dict(_read(call, [pair for pair in asked if pair[0] in _WHOM], wanted))
    entries = [found[id] for id in wanted if id in found]
    note = {
        "severity": "information",
        "code": "informational",
        "diagnostics": f"as of {told.as_of}: what was stored later may be missing",
    }
    outcome = {"resourceType": "OperationOutcome", "issue": [note]}
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(entries),
        "entry": [*entries, {"resource": outcome, "search": {"mode": "outcome"}}],
    }


def _criteria(call: OperationCall) -> list[tuple[str, str]]:
    """Take what is asked for.

    :raises Invalid: nobody is named, or nothing that was measured.
    """
    asked = [
        (name, str(value)) for name in (*_WHOM, *_WHAT) for value in call.values(name)
    ]
    named = {name for name, _ in asked}
    for group in (_WHOM, _WHAT):
        if not named & set(group):
            raise Invalid(f"$lastn takes {' or '.join(group)}")
    return asked


def _found(
    questions: Questions, asked: Sequence[tuple[str, str]], call: OperationCall
) -> tuple[Told, list[_Row]]:
    """Ask the index for all that meets the criteria.

    :raises Invalid: it is more than anybody measures.
    """
    caller = replace(questions.of_request(call.context), least=0)
    renamed = [("patient" if name in _WHOM else name, value) for name, value in asked]
    question: dict[str, Any] = {
        "from": "Observation",
        "filter": urlencode(renamed),
        "select": ["id", "code", "effective"],
        "count": 10_000,
    }
    rows: list[_Row] = []
    while True:
        told = _ask(questions, question, caller)
        rows.extend(told.answer.rows)
        if told.answer.next is None:
            return told, rows
        if len(rows) >= _MOST:
            raise Invalid(f"more than {_MOST} measurements: ask for fewer codes")
        question["page"] = told.answer.next


def _ask(questions: Questions, question: dict[str, Any], caller: Caller) -> Told:
    return questions.answer(orjson.dumps(question), caller)


def _last(rows: Sequence[_Row], most: int) -> Iterator[_Row]:
    """Give the last ones of each code, the newest first; without a moment last of all."""
    groups: dict[str, list[_Row]] = {}
    for row in rows:
        _, codes, _ = row
        groups.setdefault(codes[0] if codes else "", []).append(row)
    for _, group in sorted(groups.items()):
        group.sort(key=lambda row: (row[2] or "", row[0]), reverse=True)
        yield from group[:most]


def _read(
    call: OperationCall, whose: Sequence[tuple[str, str]], ids: Sequence[str]
) -> Iterator[tuple[str, Any]]:
    """Search for measurements by their ids, as the caller; give entries by id."""
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        params = (("_id", ",".join(part)), *whose, ("_count", str(len(part))))
        context = call.context.inner(
            "search-type",
            call.context.resource_type,
            # What is answered is judged as it is stored, and written out after that.
            service=replace(call.context.service, absolute_references=False),
            params=params,
        )
        bundle = json.own(call.interactions.search(context).body or b"{}")
        for entry in bundle.get("entry", []):
            if entry.get("search", {}).get("mode") == "match":
                yield entry["resource"]["id"], entry
