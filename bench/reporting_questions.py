"""What ``reporting.py`` asks of the index."""

from typing import Any

_COPENHAGEN = "Europe/Copenhagen"
_COUNT = {"count": True}

#: What is asked.
QUESTIONS: dict[str, dict[str, Any]] = {
    "count and mean by code": {
        "from": "Observation",
        "groupBy": [{"terms": "code"}],
        "metrics": {"n": _COUNT, "mean": {"avg": "value"}},
    },
    "patients by month and code": {
        "from": "Observation",
        "timeZone": _COPENHAGEN,
        "groupBy": [
            {"dateHistogram": "effective", "interval": "month"},
            {"terms": "code"},
        ],
        "metrics": {"n": _COUNT, "patients": {"distinct": "patient"}},
    },
    "percentiles of one code by quarter": {
        "from": "Observation",
        "filter": "code=http://loinc.org|8867-4",
        "timeZone": _COPENHAGEN,
        "groupBy": [{"dateHistogram": "effective", "interval": "quarter"}],
        "metrics": {"p": {"percentiles": "value", "percents": [5, 50, 95]}},
    },
    "patients measured in one year": {
        "from": "Observation",
        "filter": "effective=2025&status=final",
        "metrics": {"n": _COUNT, "patients": {"distinct": "patient"}},
    },
    "who measured most": {
        "from": "Observation",
        "filter": "effective=ge2024",
        "groupBy": [{"terms": "performer"}],
        "metrics": {"n": _COUNT, "mean": {"avg": "value"}},
        "having": {"metric": "n", "gt": 10},
        "sort": [{"by": "n", "order": "desc"}],
        "count": 20,
    },
}
