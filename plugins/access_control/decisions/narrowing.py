"""Searches that are made narrower where the client need not say what it may see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from fyr.plugins.access_control.decisions.resources import BASIC_KINDS, SENT, me
from fyr.plugins.access_control.decisions.table import elements

if TYPE_CHECKING:
    from fyr.core import Resource
    from fyr.plugins.access_control.decisions.caller import Caller

Pairs = list[tuple[str, str]]
Narrow = Callable[["Caller", str, Pairs], Pairs]

_BASIC_SYSTEM = "http://ehealth.sundhed.dk/cs/basic-resource-type"
#: Codes of http://ehealth.sundhed.dk/cs/restriction-category.
_RESTRICTIONS = ("measurement-monitoring", "measuring-support", "none")
#: A reference to what is kept here.
_PLAIN = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}")
#: What a care team sees of patients before one of them is chosen.
LIMITED = frozenset(
    "resourceType id meta identifier active name gender birthDate deceasedBoolean"
    " deceasedDateTime".split()
)
#: Search parameters that are about nothing else.
OF_LIMITED = frozenset(
    "_has _id _lastUpdated active birthdate death-date deceased family gender given"
    " identifier name phonetic".split()
)


def narrowed(
    caller: Caller, resource_type: str, demands: Iterable[str], params: Pairs
) -> Pairs:
    """Tell what a search has to have for the demands on it."""
    found: Pairs = []
    for demand in demands:
        narrow = _NARROW.get(demand)
        if narrow is not None:
            found += narrow(caller, resource_type, params)
    return found


def limited(resource: Resource) -> Resource:
    """Give a Patient with the few elements that a care team sees of all of its own."""
    if resource.get("resourceType") != "Patient":
        return resource
    return {key: value for key, value in resource.items() if key in LIMITED}


def _patient(caller: Caller, resource_type: str, params: Pairs) -> Pairs:
    if resource_type != "Patient" or not caller.patient:
        return []
    return [("_id", caller.patient.removeprefix("Patient/"))]


def _patient_or_team(caller: Caller, resource_type: str, params: Pairs) -> Pairs:
    if caller.patient:
        return _patient(caller, resource_type, params)
    return [("_has:EpisodeOfCare:patient:team", caller.care_team)]


def _material(caller: Caller, resource_type: str, params: Pairs) -> Pairs:
    table = elements()[resource_type]["search"]
    names = {*table["patient"].split(), *table["episode"].split()}
    about_nobody = [("subject:missing", "true"), ("encounter:missing", "true")]
    given = {pair[0].partition(":")[0] for pair in params if pair not in about_nobody}
    # Whether they keep it inside is judged once they are understood.
    return [] if given & names else about_nobody


def _appointment(caller: Caller, resource_type: str, params: Pairs) -> Pairs:
    return [] if caller.patient else [("patient:missing", "true")]


def _basic_kind(caller: Caller, resource_type: str, params: Pairs) -> Pairs:
    held = [
        code for code, kind in BASIC_KINDS.items() if caller.holds([f"{kind}.read"])
    ]
    if len(held) == len(BASIC_KINDS):
        return []
    return [("code", f"{_BASIC_SYSTEM}|{code}") for code in held]


def _restriction(caller: Caller, resource_type: str, params: Pairs) -> Pairs:
    lacking = [
        one
        for one in _RESTRICTIONS
        if not caller.holds(
            [f"RestrictionCategory${one}", f"RestrictionCategory.{one}"]
        )
    ]
    name = "restriction-category" if resource_type == "Task" else "restrictionCategory"
    return [(f"{name}:not", ",".join(lacking))] if lacking else []


def _sent(caller: Caller, resource_type: str, params: Pairs) -> Pairs:
    """Tell what a search has to have that finds of others only what they have sent."""
    seen = [f"status eq {one}" for one in SENT]
    seen += [f"sender eq {one}" for one in sorted(me(caller)) if _PLAIN.fullmatch(one)]
    if caller.type != "PATIENT" and _PLAIN.fullmatch(caller.care_team):
        seen.append(f"careTeamSender eq {caller.care_team}")
    return [("_filter", " or ".join(seen))]


def _device(caller: Caller, resource_type: str, params: Pairs) -> Pairs:
    way = "source:Device." if resource_type == "DeviceMetric" else ""
    if caller.patient:
        return [(f"{way}_has:DeviceUseStatement:device:subject", caller.patient)]
    return [(f"{way}organization", caller.organization)]


_NARROW: Mapping[str, Narrow] = {
    "appointment": _appointment,
    "basic-kind": _basic_kind,
    "device-mine-or-free": _device,
    "device-readable": _device,
    "material": _material,
    "patient": _patient,
    "patient-or-team": _patient_or_team,
    "restriction": _restriction,
    "sent": _sent,
}
