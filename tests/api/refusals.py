"""What all refusals have: a code of the catalogue, at a place in what was sent."""

from __future__ import annotations

import re
from typing import Any

from fyr.core import read_error_codes
from fyr.core.model import fhirpath
from fyr.core.model.budget import Budget
from fyr.core.testing.client import Answer

#: What ``fhir.error_coding`` names, so that answers tell the codes.
SYSTEM = "https://fyr.example.org/error-code"
#: An extension by its URL, at the end of a path.
_EXTENSION = re.compile(r"\.extension\('[^']+'\)$")
ALL_CODES = {
    name
    for area in ("core", "plugins.clinical", "plugins.administrative")
    for name in read_error_codes(f"fyr.{area}")
}


def assert_told(answer: Answer, sent: dict[str, Any]) -> list[str]:
    """Look at each issue, and give their codes."""
    issues = answer.json["issue"]
    assert all("details" in one for one in issues), issues
    codes = [one["details"]["coding"][0] for one in issues]
    assert {one["system"] for one in codes} == {SYSTEM}
    assert {one["code"] for one in codes} <= ALL_CODES
    for one in issues:
        assert one["expression"]
        for place in one["expression"]:
            assert place.partition(".")[0] == sent["resourceType"]
            assert _is_there(place, sent), place
    return [one["code"] for one in codes]


def _is_there(place: str, sent: dict[str, Any]) -> bool:
    """Whether a place is in what was sent, or is the one that something is missing at."""
    place = _EXTENSION.sub(".extension", place)
    if fhirpath.select(place, sent):
        return True
    around, _ = fhirpath.select_list(place, sent, Budget())
    return bool(around)
