"""``ClinicalImpression/$set-measurement-validity``: a measurement is wrong, or is not.

The measurement is entered in error, or has its status of before again; a ClinicalImpression
says who decided so and why, and takes the place of the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from fyr.core import (
    Issue,
    NotFound,
    Operation,
    OperationCall,
    OperationParameter,
    Refused,
    Resource,
)
from fyr.core.model.references import relative
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.parts import Room
from fyr.plugins.clinical.tasks import terms
from fyr.plugins.clinical.tasks.impression_rules import OPERATION
from fyr.plugins.clinical.tasks.plans import care_plans_of
from fyr.plugins.clinical.tasks.terms import (
    INVALIDATED,
    MEASUREMENTS,
    RETRACTED,
    VALIDITY_DECISIONS,
    VALIDITY_FINDINGS,
    VALIDITY_UPDATES,
    codes,
    codes_in,
    finding_codes,
    references_in,
    type_of,
    unversioned,
    versioned,
)

if TYPE_CHECKING:
    from fyr.core import Acting

_ERROR = "entered-in-error"
_FINDING = "ClinicalImpression.finding"
_EXTENSION = "ClinicalImpression.extension"
_ITEM = "ClinicalImpression.investigation.item"


def operations(room: Room) -> list[Operation]:
    """Offer the operation."""
    return [
        Operation(
            OPERATION,
            partial(set_validity, room),
            frozenset({"type"}),
            frozenset({"ClinicalImpression"}),
            affects_state=True,
            documentation=(
                "Says that a measurement is invalid, or takes that back. The measurement"
                " gets the status entered-in-error, or the one it had before; an earlier"
                " ClinicalImpression about its validity is entered in error. The answer"
                " is the ClinicalImpression as it was stored, with who assessed it and"
                " the version of the measurement that came of it."
            ),
            parameters=(
                OperationParameter(
                    "clinicalImpression",
                    "ClinicalImpression",
                    min=1,
                    documentation=(
                        "Completed, with one investigation of the measurement (with its"
                        " version and without), one finding, and for an invalidation one"
                        " decision."
                    ),
                ),
                OperationParameter("return", "ClinicalImpression", min=1, use="out"),
            ),
        )
    ]


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


def set_validity(room: Room, call: OperationCall) -> Resource:
    """Do it, all or nothing.

    What the problems tell of a measurement is for those who might change it.

    :raises fyr.core.FyrError: what is wrong with it, all at once.
    """
    acting = call.on_behalf()
    asked = _asked(call)
    issues = list(_problems_of_form(asked))
    measurement = acting.hold(asked.measurement)[0] if asked.measurement else None
    if asked.measurement and measurement is None:
        kind, _, identity = asked.measurement.partition("/")
        missing = CODES["GENERAL_RESOURCE_NOT_FOUND"].issue(
            kind, identity, expression=(_ITEM,)
        )
        raise Refused([*issues, missing]) if issues else NotFound([missing])
    before = None
    if measurement is not None:
        _require_access(room, call, measurement)
        issues += _unknown_versions(acting, asked)
        issues += _mismatches(asked.impression, measurement)
        before = _before(acting, asked, issues)
    if issues or measurement is None:
        raise Refused(issues)
    return _stored(call, acting, asked, measurement, before)


def _require_access(room: Room, call: OperationCall, measurement: Resource) -> None:
    context = replace(
        call.context,
        interaction="update",
        resource_type=measurement["resourceType"],
        resource_id=measurement["id"],
        operation=None,
        params=(),
        parent=call.context,
        state={},
    )
    room.application.decide(context, measurement, "old")


def _asked(call: OperationCall) -> Asked:
    impression = deepcopy(call.value("clinicalImpression"))
    own, context = call.interactions.services.own, call.context
    relative(impression, lambda url: own(url, context.service, context.base_url))
    items = list(terms.investigated(impression))
    targets = {unversioned(one) for one in items}
    single = targets.pop() if len(targets) == 1 else ""
    found = [code for one in finding_codes(impression) for code in one]
    finding = found[0] if len(found) == 1 and found[0] in VALIDITY_FINDINGS else ""
    measurement = single if type_of(single) in MEASUREMENTS else ""
    return Asked(impression, measurement, finding)


def _problems_of_form(asked: Asked) -> Iterator[Issue]:
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
    if any(type_of(one) not in MEASUREMENTS for one in terms.investigated(impression)):
        code = CODES["TASK_MEASUREMENT_VALIDITY_INVALID_INVESTIGATION_ITEM_TYPE"]
        yield code.issue(expression=(_ITEM,))
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


def _unknown_versions(acting: Acting, asked: Asked) -> Iterator[Issue]:
    """Tell which version of the measurement there is not."""
    kind, _, identity = asked.measurement.partition("/")
    last = acting.version(asked.measurement)
    for one in terms.investigated(asked.impression):
        version = one.partition("/_history/")[2]
        if version and not (version.isdecimal() and 1 <= int(version) <= last):
            code = CODES["GENERAL_RESOURCE_NOT_FOUND"]
            named = f"{identity}/_history/{version}"
            yield code.issue(kind, named, expression=(_ITEM,))


def _mismatches(impression: Resource, measurement: Resource) -> Iterator[Issue]:
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


def _before(acting: Acting, asked: Asked, issues: list[Issue]) -> Resource | None:
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


def _stored(
    call: OperationCall,
    acting: Acting,
    asked: Asked,
    measurement: Resource,
    before: Resource | None,
) -> Resource:
    """Store the measurement, then what refers to its new version."""
    status = (
        _ERROR if asked.invalidates else _status_before(acting, before, measurement)
    )
    changed = acting.update({**measurement, "status": status})
    impression = asked.impression
    impression["id"] = acting.new_id()
    modified = {
        "code": terms.concept(terms.ITEMS, "item-modified"),
        "item": [{"reference": versioned(changed)}],
    }
    impression["investigation"] = [*impression["investigation"], modified]
    _name_the_plan(acting, impression, measurement)
    _name_who_assesses(call, acting, impression)
    superseded = [{**before, "status": _ERROR}] if before is not None else []
    return acting.store([*superseded, impression])[-1]


def _status_before(
    acting: Acting, before: Resource | None, measurement: Resource
) -> str:
    """Tell the status that the measurement had when it was invalidated."""
    named = [one for one in terms.investigated(before or {}) if "/_history/" in one]
    found = acting.vread(named[0]) if named else None
    status = (found or {}).get("status", _ERROR)
    if status != _ERROR:
        return str(status)
    return "final" if measurement["resourceType"] == "Observation" else "completed"


def _name_the_plan(acting: Acting, impression: Resource, measurement: Resource) -> None:
    if ext.reference_of(impression, ext.IMPRESSION_CARE_PLAN) is not None:
        return
    plans = [
        plan
        for activity in references_in(measurement.get("basedOn", ()))
        for plan in care_plans_of(acting, unversioned(activity))
    ]
    if plans:
        named = {
            "url": ext.IMPRESSION_CARE_PLAN,
            "valueReference": {"reference": plans[0]},
        }
        impression["extension"] = [*impression.get("extension", ()), named]


def _name_who_assesses(
    call: OperationCall, acting: Acting, impression: Resource
) -> None:
    """Say who has decided, in place of what the caller says of that."""
    principal = call.context.principal
    contexts = {name: _own(call, one) for name, one in principal.context.items() if one}
    for url in (ext.IMPRESSION_ASSESSOR_ORGANIZATION, ext.IMPRESSION_ASSESSOR_OTHER):
        ext.replaced(impression, url, [])
    if principal.user_type == "PRACTITIONER":
        impression.pop("assessor", None)
        user = _own(call, principal.user_id)
        if type_of(user) == "Practitioner":
            impression["assessor"] = {"reference": user}
        organization = contexts.get("organization") or _of_team(
            acting, contexts.get("care_team")
        )
        _refer(impression, ext.IMPRESSION_ASSESSOR_ORGANIZATION, organization)
    elif principal.user_type == "PATIENT":
        impression.pop("assessor", None)
        patient = contexts.get("patient") or _own(call, principal.user_id)
        _refer(impression, ext.IMPRESSION_ASSESSOR_OTHER, patient)


def _of_team(acting: Acting, team: str | None) -> str | None:
    found = acting.read(team) if team and type_of(team) == "CareTeam" else None
    organization = (found or {}).get("managingOrganization", {}).get("reference")
    return organization if isinstance(organization, str) else None


def _refer(impression: Resource, url: str, to: str | None) -> None:
    if to and "/" in to:
        named = {"url": url, "valueReference": {"reference": to}}
        ext.replaced(impression, url, [named])


def _own(call: OperationCall, url: str) -> str:
    context, own = call.context, call.interactions.services.own
    return own(url, context.service, context.base_url) or url
