"""``$get-patient-procedures`` as the guide's server was seen to answer it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from ..guide import EPISODE, concept, ext, to
from .conftest import Ward, only, resolved_timing, rows_of

RECORDED = Path(__file__).parents[4] / "shared/data/ig-exchanges.jsonl"
TEN, ELEVEN, TWELVE = (f"2025-10-21T{hour}:00:00+00:00" for hour in (10, 11, 12))
#: Of words that are not ours, and of addresses.
_OURS = frozenset({"Activity", "CarePlan", "ServiceRequest"})


def recorded_exchanges() -> Iterator[Any]:
    if not RECORDED.exists():
        return
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        found = json.loads(line)
        if found["name"] == "POST_get-patient-procedures":
            yield found


@pytest.mark.parametrize("exchange", [*recorded_exchanges()], ids=itemgetter("name"))
def test_the_recorded_overview_is_answered_row_for_row(ward: Ward, exchange) -> None:
    recorded = deepcopy(exchange["response_body"])
    patient = ward.put({"resourceType": "Patient", "id": "78199"})
    ward.episode(patient, id="314")
    (plan,) = only(recorded, "CarePlan")
    requests = only(recorded, "ServiceRequest")
    for one in requests:
        one.pop("meta")
        one["subject"] = to(patient)
        _to_episode(one)
        ward.put({**one, "intent": "order"})
    # Its second version is the one that was recorded.
    ward.put({**requests[1], "intent": "order", "priority": "urgent"})
    plan |= {"subject": to(patient), "intent": "order"}
    plan["activity"] = [
        {"reference": to(f"ServiceRequest/{one['id']}")} for one in requests
    ]
    del plan["meta"], plan["addresses"]
    _to_episode(plan)
    ward.put(plan)
    _measured(ward)

    answer = ward.ask(
        patient=patient,
        start="2025-10-21T08:00:00+00:00",
        end="2025-10-26T10:00:00+00:00",
        extra=True,
    )

    assert answer.status == 200, answer.body
    shown, expected = rows_of(answer.json), rows_of(recorded)
    assert [_facts(row) for row in shown] == [_facts(row) for row in expected]
    kinds = [entry["resource"]["resourceType"] for entry in answer.json["entry"]]
    assert kinds == [entry["resource"]["resourceType"] for entry in recorded["entry"]]
    (outcome,) = only(answer.json, "OperationOutcome")
    (theirs,) = only(recorded, "OperationOutcome")
    assert [(one["severity"], one["code"]) for one in outcome["issue"]] == [
        (one["severity"], one["code"]) for one in theirs["issue"]
    ]


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    owners = {
        name: row[name].rpartition("/")[2] for name in ("CarePlan", "ServiceRequest")
    }
    return {**{name: one for name, one in row.items() if name not in _OURS}, **owners}


def _to_episode(resource: dict[str, Any]) -> None:
    others = [one for one in resource["extension"] if one["url"] != EPISODE]
    here = ext(EPISODE, valueReference=to("EpisodeOfCare/314"))
    resource["extension"] = [here, *others]


def _measured(ward: Ward) -> None:
    request, late = "ServiceRequest/316", "2025-10-21T13:00:00+00:00"
    for timing in (
        resolved_timing("Resolved", TEN, ELEVEN, "2"),
        resolved_timing("Resolved", TEN, TWELVE, "2"),
        resolved_timing("Unresolved", TEN, TWELVE, "1"),
    ):
        ward.measure(request, timing, late, code=concept("NPU03011"))
