"""``ClinicalImpression/$set-measurement-validity``: a measurement is wrong, or is not.

The measurement is entered in error, or has its status of before again; a ClinicalImpression
says who decided so and why, and takes the place of the one before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from fyr.core import (
    FyrError,
    NotFound,
    Operation,
    OperationCall,
    OperationParameter,
    Refused,
    Resource,
)
from fyr.core.interactions.outcomes import under
from fyr.core.model.references import relative
from fyr.plugins.clinical import extensions as ext
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.parts import Room
from fyr.plugins.clinical.references import own, unversioned
from fyr.plugins.clinical.tasks import terms
from fyr.plugins.clinical.tasks.impression_rules import OPERATION
from fyr.plugins.clinical.tasks.plans import care_plans_of
from fyr.plugins.clinical.tasks.terms import (
    MEASUREMENTS,
    VALIDITY_FINDINGS,
    finding_codes,
    references_in,
    type_of,
    versioned,
)
from fyr.plugins.clinical.tasks.validity_rules import (
    ITEM,
    Asked,
    impression_before,
    mismatches,
    problems_of_form,
    unknown_versions,
)

if TYPE_CHECKING:
    from fyr.core import Acting

_ERROR = "entered-in-error"
_PARAMETER = "clinicalImpression"
_TYPE = "ClinicalImpression"
#: Places in what is stored together.
_ENTRY = re.compile(r"^Bundle\.entry\[\d+\](\.resource)?")


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
                    _PARAMETER,
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


def set_validity(room: Room, call: OperationCall) -> Resource:
    """Do it, all or nothing.

    What the problems tell of a measurement is for those who might change it.

    :raises fyr.core.FyrError: what is wrong with it, all at once.
    """
    acting = call.on_behalf()
    asked = _asked(call, acting)
    issues = list(problems_of_form(asked))
    place = call.place(_PARAMETER)
    measurement = acting.hold(asked.measurement)[0] if asked.measurement else None
    if asked.measurement and measurement is None:
        kind, _, identity = asked.measurement.partition("/")
        missing = CODES["GENERAL_RESOURCE_NOT_FOUND"].issue(
            kind, identity, expression=(ITEM,)
        )
        told = under(place, [*issues, missing])
        raise Refused(told) if issues else NotFound(told)
    before = None
    if measurement is not None:
        _require_access(room, call, measurement)
        issues += unknown_versions(acting, asked)
        issues += mismatches(asked.impression, measurement)
        before = impression_before(acting, asked, issues)
    if issues or measurement is None:
        raise Refused(under(place, issues))
    return _stored(call, acting, asked, measurement, before)


def _require_access(room: Room, call: OperationCall, measurement: Resource) -> None:
    context = call.context.inner(
        "update", measurement["resourceType"], resource_id=measurement["id"], state={}
    )
    room.application.decide(context, measurement, "old")


def _asked(call: OperationCall, acting: Acting) -> Asked:
    impression = deepcopy(call.value(_PARAMETER))
    relative(impression, acting.own)
    items = list(terms.investigated(impression))
    targets = {unversioned(one) for one in items}
    single = targets.pop() if len(targets) == 1 else ""
    found = [code for one in finding_codes(impression) for code in one]
    finding = found[0] if len(found) == 1 and found[0] in VALIDITY_FINDINGS else ""
    measurement = single if type_of(single) in MEASUREMENTS else ""
    return Asked(impression, measurement, finding)


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
    place = call.place(_PARAMETER)
    with _placed(place):
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
    with _placed(place):
        return acting.store([*superseded, impression])[-1]


@contextmanager
def _placed(place: str) -> Iterator[None]:
    """Tell what is wrong with what is stored as what is wrong with what was sent.

    What is wrong with the measurement stands where it is named.

    :param place: of the parameter.
    """
    try:
        yield
    except FyrError as error:
        error.issues = tuple(
            under(
                place,
                (
                    replace(one, expression=tuple(map(_as_sent, one.expression)))
                    for one in error.issues
                ),
            )
        )
        raise


def _as_sent(path: str) -> str:
    plain = _ENTRY.sub(_TYPE, path)
    return plain if plain.partition(".")[0] == _TYPE else ITEM


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
        for plan in care_plans_of(acting, activity)
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
    contexts = {name: own(call, one) for name, one in principal.context.items() if one}
    for url in (ext.IMPRESSION_ASSESSOR_ORGANIZATION, ext.IMPRESSION_ASSESSOR_OTHER):
        ext.replaced(impression, url, [])
    if principal.user_type == "PRACTITIONER":
        impression.pop("assessor", None)
        user = own(call, principal.user_id)
        if type_of(user) == "Practitioner":
            impression["assessor"] = {"reference": user}
        organization = contexts.get("organization") or _of_team(
            acting, contexts.get("care_team")
        )
        _refer(impression, ext.IMPRESSION_ASSESSOR_ORGANIZATION, organization)
    elif principal.user_type == "PATIENT":
        impression.pop("assessor", None)
        patient = contexts.get("patient") or own(call, principal.user_id)
        _refer(impression, ext.IMPRESSION_ASSESSOR_OTHER, patient)


def _of_team(acting: Acting, team: str | None) -> str | None:
    found = acting.read(team) if team and type_of(team) == "CareTeam" else None
    organization = (found or {}).get("managingOrganization", {}).get("reference")
    return organization if isinstance(organization, str) else None


def _refer(impression: Resource, url: str, to: str | None) -> None:
    if to and "/" in to:
        named = {"url": url, "valueReference": {"reference": to}}
        ext.replaced(impression, url, [named])
