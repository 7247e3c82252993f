"""What was measured, and questions about it."""

from dataclasses import replace
from typing import Any

from fyr.core.testing.client import Answer, Client
from fyr.core.testing.principals import PRACTITIONER

QUERY = "/reporting/query"
LOINC = "http://loinc.org"
SYSTOLIC, WEIGHT, RARE = "8480-6", "29463-7", "2339-0"
#: Code, patient, day, value.
MEASURED = [
    *((SYSTOLIC, n % 7, f"2026-01-{n + 1:02}", 110 + n) for n in range(14)),
    *((SYSTOLIC, n % 6, f"2026-02-{n + 1:02}", 120 + n) for n in range(12)),
    *((WEIGHT, n % 8, f"2026-02-{n + 1:02}", 70.5 + n) for n in range(8)),
    *((RARE, n, "2026-02-01", 5.5) for n in range(2)),
]
BY_CODE = {
    "from": "Observation",
    "filter": "status=final",
    "groupBy": [{"terms": "code"}],
    "metrics": {"n": {"count": True}, "patients": {"distinct": "patient"}},
}
ANALYST = replace(PRACTITIONER, privileges=frozenset({"report-query"}))
TRUSTED = replace(
    PRACTITIONER, privileges=frozenset({"report-query", "report-non-anonymized"})
)


def observation(code: str, patient: int, day: str, value: float) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/p{patient}"},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value, "unit": "1"},
    }


def ask(client: Client, sent: Any, query: str = "", **headers: str) -> Answer:
    headers = {"Content_Type": "application/json", **headers}
    return client.post(f"{QUERY}{query}", sent, **headers)


def told(answer: Answer) -> list[list[Any]]:
    assert answer.status == 200, answer.body
    return [list(one.values()) for one in answer.json["rows"]]


def code(name: str) -> str:
    return f"{LOINC}|{name}"
