"""Guards and effects that the tables of all definitions share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from fyr.core import from_millis, refuses
from fyr.core.workflow.timing import DANISH
from fyr.plugins.clinical.activities import switches_of
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.extensions import (
    MODIFIER_ROLE,
    SHARING_APPROVAL_POLICY,
    extensions,
)
from fyr.plugins.clinical.plans.changes import changed
from fyr.plugins.clinical.plans.identity import base_of, identify
from fyr.plugins.clinical.plans.refusals import REFUSALS

if TYPE_CHECKING:
    from fyr.core import FyrError, Issue, Transition

    Told = Iterator[FyrError | Issue]
    Guard = Callable[[Transition], Iterable[FyrError | Issue]]
    Effect = Callable[[Transition], None]

#: Operations that say themselves which version of what they make.
_MAKING: Final = frozenset({"create-clone", "import"})
_USE_CONTEXT: Final = frozenset({"useContext", "status"})


def unless_loaded(guard: Guard) -> Guard:
    """Let a guard pass what a system brings by the service that has everything.

    Data comes from somewhere, in any order: a plan before what it leads to. What comes by
    a service of its own is held to the rules, and so is every change.
    """

    @wraps(guard)
    def held(transition: Transition) -> Iterable[FyrError | Issue]:
        return () if is_loaded(transition) else guard(transition)

    return held


def is_loaded(transition: Transition) -> bool:
    """Whether a system brings it by the service that has everything."""
    everything = transition.interactions.services.everything
    return (
        transition.start is None
        and transition.user_type == "SYSTEM"
        and transition.context.service is everything
    )


def has_owner(transition: Transition) -> Told:
    """At least one organization is its owner; one that was loaded without stays so."""
    kind, old = transition.resource["resourceType"], transition.old
    if old is not None and not _is_owned(old):
        return
    if not _is_owned(transition.resource):
        place = f"{kind}.extension('{MODIFIER_ROLE}')"
        yield REFUSALS[kind].owner.error(expression=(place,))


def roles(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Go through the organizations that may change it, each with its role."""
    for one in extensions(resource, MODIFIER_ROLE):
        parts = {part.get("url"): part for part in one.get("extension", ())}
        reference = parts.get("reference", {}).get("valueReference", {})
        concept = parts.get("role", {}).get("valueCodeableConcept", {})
        for coding in concept.get("coding", ()):
            yield str(reference.get("reference", "")), str(coding.get("code", ""))


def _is_owned(resource: Mapping[str, Any]) -> bool:
    return any(role == "owner" for _, role in roles(resource))


def keeps_all_but_use_context(transition: Transition) -> Told:
    """Nothing changes but its use context, and its status."""
    old, new = transition.old, transition.new
    names = changed(old, new, _USE_CONTEXT) if old and new else {}
    if not names:
        return
    kind = transition.resource["resourceType"]
    refusals, listed = REFUSALS[kind], ", ".join(names)
    places = [f"{kind}.{path}" for path in names.values()]
    if transition.start == "active":
        yield refusals.active.error(
            transition.end, transition.reference, listed, expression=places
        )
    else:
        yield refusals.ended.error(
            *refusals.named, transition.reference, listed, expression=places
        )


@refuses("VERSIONING_MULTIPLE_DRAFTS_IN_BASE_NOT_ALLOWED")
def is_only_draft(transition: Transition) -> Told:
    """No other version with the same base is a draft."""
    new = transition.resource
    base = base_of(new)
    if not base or not _is_given(transition):
        return
    kind = new["resourceType"]
    criteria = (("base", base), ("status", "draft"))
    others = [one["id"] for one in transition.acting.find(kind, *criteria)]
    others += [
        one["id"]
        for reference, one in transition.together.items()
        if one is not None
        and reference.startswith(f"{kind}/")
        and one.get("status") == "draft"
        and base_of(one) == base
    ]
    if any(one != new["id"] for one in others):
        yield CODES["VERSIONING_MULTIPLE_DRAFTS_IN_BASE_NOT_ALLOWED"].error(
            expression=(f"{kind}.status",)
        )


@refuses(
    "ACTIVITYDEFINITION_SHARINGAPPROVALPOLICY_NOT_SET",
    "ACTIVITYDEFINITION_SHARINGAPPROVALPOLICY_NOT_ALLOWED",
)
def shares_as_its_code_says(transition: Transition) -> Told:
    """It has a sharing approval policy if, and only if, its code is one that is shared."""
    new = transition.resource
    found = switches_of(new.get("code", {}))
    if found is None:
        return
    system, code, switches = found
    has = any(extensions(new, SHARING_APPROVAL_POLICY))
    if has == switches.sharing:
        return
    missing = CODES["ACTIVITYDEFINITION_SHARINGAPPROVALPOLICY_NOT_SET"]
    needless = CODES["ACTIVITYDEFINITION_SHARINGAPPROVALPOLICY_NOT_ALLOWED"]
    yield (missing if switches.sharing else needless).error(
        transition.reference,
        system,
        code,
        expression=(f"ActivityDefinition.extension('{SHARING_APPROVAL_POLICY}')",),
    )


def identified(environment: str) -> Effect:
    """Make the effect of every write: it says which version of what it is."""

    def identify_it(transition: Transition) -> None:
        """Its identifier, base and environment are the server's."""
        if transition.new is not None:
            given = _is_given(transition)
            identify(transition.new, transition.old, environment, given=given)

    return identify_it


def _is_given(transition: Transition) -> bool:
    """Whether what a new one says of its base and predecessor counts."""
    parent = transition.context.parent
    making = parent is not None and parent.operation in _MAKING
    return making or is_loaded(transition)


def approved(transition: Transition) -> None:
    """Its approval date is the day on which it becomes active."""
    new = transition.new
    if new is None or (is_loaded(transition) and "approvalDate" in new):
        return
    day = from_millis(transition.now).astimezone(DANISH).date()
    new["approvalDate"] = day.isoformat()


def keeps_approval(transition: Transition) -> None:
    """Its approval date stays what the server has set."""
    old, new = transition.old, transition.new
    if new is None or is_loaded(transition):
        return
    if old is not None and "approvalDate" in old:
        new["approvalDate"] = old["approvalDate"]
    else:
        new.pop("approvalDate", None)
