"""Action guidances and views: Basic resources with a status in an extension.

http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-actionguidance and ehealth-view.
How large their content may be is a setting; what is kept elsewhere is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from fyr.core import Forbidden, Machine, Step, refuses
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.extensions import (
    BASIC_STATUS,
    CONTENT,
    extensions,
    value_of,
)
from fyr.plugins.clinical.plans.changes import changed
from fyr.plugins.clinical.plans.images import pictures, resolved
from fyr.plugins.clinical.plans.rules import unless_loaded
from fyr.plugins.clinical.plans.use_contexts import is_used_where_it_may

if TYPE_CHECKING:
    from fyr.core import FyrError, Issue, Resource, Transition
    from fyr.plugins.clinical.parts import Room
    from fyr.plugins.clinical.plans.rules import Guard

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


def small(largest_kb: int) -> Guard:
    """Make the guard of how large contents are, in thousands of characters of base64."""

    @refuses("ACTIONGUIDANCEVIEW_ILLEGAL_CONTENT_SIZE")
    def has_a_small_content(transition: Transition) -> Iterator[FyrError | Issue]:
        """Its content is no larger than the setting allows."""
        for one in extensions(transition.resource, CONTENT) if largest_kb else ():
            reference = str(one.get("valueReference", {}).get("reference", ""))
            for _, size in pictures(transition, resolved(transition, reference) or {}):
                if size > largest_kb * 1000:
                    code = CODES["ACTIONGUIDANCEVIEW_ILLEGAL_CONTENT_SIZE"]
                    place = f"Basic.extension('{CONTENT}')"
                    yield code.issue(size, largest_kb * 1000, expression=(place,))

    return has_a_small_content


def guidance(room: Room) -> Machine:
    """Make the table."""
    small_enough = small(room.settings.guidance_content_kb)
    return Machine(
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
        when=(is_used_where_it_may, unless_loaded(small_enough)),
        what="Action guidances and views, that programs show beside measurements.",
    )
