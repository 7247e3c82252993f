"""What must hold before a ClinicalImpression says that a measurement is invalid, or not.

By itself, against the measurement, and against what was said of that before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fyr.core import Issue, Resource
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.references import unversioned
from fyr.plugins.clinical.tasks.terms import (
    INVALIDATED,
    MEASUREMENTS,
    RETRACTED,
    VALIDITY_DECISIONS,
    VALIDITY_UPDATES,
    codes,
    codes_in,
    finding_codes,
    investigated,
    references_in,
    type_of,
)

if TYPE_CHECKING:
    from fyr.core import Acting

#: Where the measurement is named.
ITEM = "ClinicalImpression.investigation.item"
_FINDING = "ClinicalImpression.finding"
_EXTENSION = "ClinicalImpression.extension"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a ClinicalImpression asks for."""

    impression: Resource
    #: relative reference to the measurement; empty: it names none
    measurement: str
    finding: str

    @property
    def invalidates(self) -> bool:
        """Whether it invalidates, and takes nothing back."""
        return self.finding == INVALIDATED


def problems_of_form(asked: Asked) -> Iterator[Issue]:
    """Tell what is wrong with the ClinicalImpression by itself."""
    impression = asked.impression
    if impression.get("status") != "completed":
        code = CODES["TASK_MEASUREMENT_VALIDITY_INVALID_INITIAL_STATUS"]
        yield code.issue(expression=("ClinicalImpression.status",))
    if VALIDITY_UPDATES.isdisjoint(codes(impression.get("code"))):
        code = CODES["CLINICAL_IMPRESSION_MEASUREMENT_VALIDITY_UPDATED_CODE_REQUIRED"]
        yield code.issue(expression=("ClinicalImpression.code",))
    if not _names_one_measurement(impression):
        code = CODES["TASK_MEASUREMENT_VALIDITY_INVALID_MEASUREMENT_REFERENCE"]
        yield code.issue(expression=("ClinicalImpression.investigation",))
    if any(type_of(one) not in MEASUREMENTS for one in investigated(impression)):
        code = CODES["TASK_MEASUREMENT_VALIDITY_INVALID_INVESTIGATION_ITEM_TYPE"]
        yield code.issue(expression=(ITEM,))
    if not asked.finding:
        code = CODES["TASK_MEASUREMENT_VALIDITY_INVALID_FINDING_CODE"]
        yield code.issue(expression=(_FINDING,))
    decided = codes_in(impression, ext.IMPRESSION_DECISION)
    one_decision = len(decided) == 1 and len(decided[0]) == 1
    if asked.invalidates and not (one_decision and decided[0][0] in VALIDITY_DECISIONS):
        code = CODES["TASK_MEASUREMENT_VALIDITY_INVALID_DECISION_CODE"]
        yield code.issue(expression=(_EXTENSION,))


def _names_one_measurement(impression: Resource) -> bool:
    investigations = impression.get("investigation", ())
    if len(investigations) != 1:
        return False
    items = references_in(investigations[0].get("item", ()))
    if len(items) != 2 or len(investigations[0]["item"]) != 2:
        return False
    with_version = ["/_history/" in one for one in items]
    return len(set(map(unversioned, items))) == 1 and sorted(with_version) == [
        False,
        True,
    ]


def unknown_versions(acting: Acting, asked: Asked) -> Iterator[Issue]:
    """Tell which version of the measurement there is not."""
    kind, _, identity = asked.measurement.partition("/")
    last = acting.version(asked.measurement)
    for one in investigated(asked.impression):
        version = one.partition("/_history/")[2]
        if version and not (version.isdecimal() and 1 <= int(version) <= last):
            code = CODES["GENERAL_RESOURCE_NOT_FOUND"]
            named = f"{identity}/_history/{version}"
            yield code.issue(kind, named, expression=(ITEM,))


def mismatches(impression: Resource, measurement: Resource) -> Iterator[Issue]:
    """Hold patient and episode of both against each other."""
    kind = measurement["resourceType"]
    pairs: Iterable[tuple[str, Any, Any]] = (
        (
            "subject",
            impression.get("subject", {}).get("reference"),
            measurement.get("subject", {}).get("reference"),
        ),
        (
            "episodeOfCare",
            ext.reference_of(impression, ext.EPISODE_OF_CARE),
            ext.reference_of(measurement, ext.EPISODE_OF_CARE),
        ),
    )
    for name, said, kept in pairs:
        if said != kept:
            ours, theirs = f"ClinicalImpression.{name}", f"{kind}.{name}"
            code = CODES["TASK_MEASUREMENT_VALIDITY_REFERENCE_MISMATCH"]
            where = ours if name == "subject" else _EXTENSION
            yield code.issue(ours, said, theirs, kept, expression=(where,))


def impression_before(
    acting: Acting, asked: Asked, issues: list[Issue]
) -> Resource | None:
    """Find the ClinicalImpression that says how the measurement stands; add problems."""
    found = [
        one
        for one in acting.find(
            "ClinicalImpression", ("investigation", asked.measurement)
        )
        if one.get("status") == "completed"
        and not VALIDITY_UPDATES.isdisjoint(codes(one.get("code")))
    ]
    if len(found) > 1:
        issues.append(CODES["TASK_MEASUREMENT_VALIDITY_MULTIPLE_PREVIOUS"].issue())
        return None
    before = found[0] if found else None
    said = [code for one in finding_codes(before or {}) for code in one]
    if asked.invalidates and INVALIDATED in said:
        code = CODES[
            "TASK_MEASUREMENT_VALIDITY_INVALID_PREVIOUS_EXPECTING_INVALIDATION_RETRACTION"
        ]
        issues.append(code.issue(expression=(_FINDING,)))
    if asked.finding == RETRACTED and before is None:
        code = CODES["TASK_MEASUREMENT_VALIDITY_MISSING_PREVIOUS"]
        issues.append(code.issue(expression=(_FINDING,)))
    elif asked.finding == RETRACTED and RETRACTED in said:
        code = CODES[
            "TASK_MEASUREMENT_VALIDITY_INVALID_PREVIOUS_EXPECTING_INVALIDATION"
        ]
        issues.append(code.issue(expression=(_FINDING,)))
    elif asked.finding == RETRACTED and said != [INVALIDATED]:
        code = CODES["TASK_MEASUREMENT_VALIDITY_INVALID_FINDING_CODE_ON_PREVIOUS"]
        issues.append(code.issue(expression=(_FINDING,)))
    return before
