"""Action guidances and views: Basic resources with a status in an extension.

http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-actionguidance and ehealth-view.
How large their content may be is not judged: it is kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from fyr.core import Forbidden, Machine, Step, refuses
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.extensions import BASIC_STATUS, value_of
from fyr.plugins.clinical.plans.changes import changed

if TYPE_CHECKING:
    from fyr.core import FyrError, Issue, Resource, Transition

_AUTHORS = frozenset({"PRACTITIONER", "SYSTEM"})
_KINDS: Final = frozenset({"actionguidance", "view"})
_SYSTEM: Final = "http://ehealth.sundhed.dk/cs/basic-resource-type"
#: What changes outside of drafts.
_FREE: Final = frozenset(
    f"ehealth-{name}"
    for name in "recommendation intendedAudience useContext modifier-role status".split()
)


def is_one(resource: Resource) -> bool:
    """Whether a Basic is an action guidance or a view."""
    return any(
        coding.get("code") in _KINDS and coding.get("system", _SYSTEM) == _SYSTEM
        for coding in resource.get("code", {}).get("coding", ())
    )


def state_of(resource: Resource) -> str:
    """Tell the status; empty: it has none."""
    return str((value_of(resource, BASIC_STATUS) or {}).get("code", ""))


@refuses("ACTIONGUIDANCEVIEW_ILLEGAL_CHANGE_OF_ELEMENTS")
def keeps_its_content(transition: Transition) -> Iterator[FyrError | Issue]:
    """Nothing changes but who it is for and who modifies it."""
    old, new = transition.old, transition.new
    names = changed(old, new, _FREE) if old and new else {}
    if names:
        code = CODES["ACTIONGUIDANCEVIEW_ILLEGAL_CHANGE_OF_ELEMENTS"]
        yield code.error(
            transition.reference,
            ", ".join(names),
            expression=[f"Basic.{path}" for path in names.values()],
        )


@refuses("ACTIONGUIDANCEVIEW_ILLEGAL_STATUS_CHANGE")
def refused(transition: Transition) -> FyrError | Issue:
    """Tell why a step is not made."""
    start, end = transition.start, transition.end
    if transition.machine.between(start, end):
        return Forbidden(f"users of type {transition.user_type} do not write this")
    return CODES["ACTIONGUIDANCEVIEW_ILLEGAL_STATUS_CHANGE"].error(
        start or "nothing",
        end or "nothing",
        expression=(f"Basic.extension('{BASIC_STATUS}')",),
    )


def _step(start: str | None, end: str, what: str) -> Step:
    kept = (keeps_its_content,) if start in ("active", "retired") else ()
    return Step(start, end, by=_AUTHORS, when=kept, what=what)


MACHINE = Machine(
    "guidance",
    "Basic",
    (
        _step(None, "draft", "One begins."),
        _step("draft", "draft", "It is edited freely."),
        _step("draft", "active", "It is published."),
        _step("draft", "retired", "It is given up unused."),
        _step("active", "active", "Who it is for changes."),
        _step("active", "retired", "It is shown no more."),
        _step("retired", "retired", "Who it was for changes."),
    ),
    state=state_of,
    holds=is_one,
    refused=refused,
    what="Action guidances and views, that programs show beside measurements.",
)
