"""What a Library must have: who modifies it, what it takes, and its identifiers for good.

http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-library. Its status goes as its
authors like, and its source is kept as it came, whether anything here can run it or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from fyr.core import Machine, Step, broken_rule, refuses
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.extensions import MODIFIER_ROLE, extensions
from fyr.plugins.clinical.plans.refusals import refused
from fyr.plugins.clinical.plans.rules import unless_loaded
from fyr.plugins.clinical.plans.use_contexts import is_used_where_it_may

if TYPE_CHECKING:
    from fyr.core import FyrError, Issue, Resource, Transition

_AUTHORS = frozenset({"PRACTITIONER", "SYSTEM"})
_KEPT = "kept"


@refuses("GENERAL_VALIDATION_ERROR")
def has_one_modifier(transition: Transition) -> Iterator[FyrError | Issue]:
    """Exactly one organization modifies it."""
    if len(list(extensions(transition.resource, MODIFIER_ROLE))) != 1:
        yield broken_rule(
            "a Library has exactly one modifier role",
            f"Library.extension('{MODIFIER_ROLE}')",
        )


@refuses("GENERAL_VALIDATION_ERROR")
def has_parameters(transition: Transition) -> Iterator[FyrError | Issue]:
    """It says what it takes and gives."""
    if not transition.resource.get("parameter"):
        yield broken_rule("a Library has at least one parameter", "Library.parameter")


@refuses("LIBRARY_IDENTIFIER_UPDATE_RESTRICTED")
def keeps_identifiers(transition: Transition) -> Iterator[FyrError | Issue]:
    """Its identifiers stay: others find it by them, in other environments too."""
    old, new = transition.old, transition.new
    if old and new and old.get("identifier") != new.get("identifier"):
        yield CODES["LIBRARY_IDENTIFIER_UPDATE_RESTRICTED"].error(
            expression=("Library.identifier",)
        )


def _state(library: Resource) -> str:
    return _KEPT


MACHINE = Machine(
    "library",
    "Library",
    (
        Step(None, _KEPT, by=_AUTHORS, what="It is brought."),
        Step(_KEPT, _KEPT, by=_AUTHORS, what="It is edited."),
    ),
    state=_state,
    refused=refuses("GENERAL_VALIDATION_ERROR")(partial(refused)),
    when=(
        *map(unless_loaded, (has_one_modifier, has_parameters, keeps_identifiers)),
        is_used_where_it_may,
    ),
    what="Rules of a plan. It has a status, and no table says what that may become.",
)
