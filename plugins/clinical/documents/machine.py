"""The tables of DocumentReferences: material, and documents that are shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fyr.core import Machine, Step
from fyr.plugins.clinical.documents import contents, whose
from fyr.plugins.clinical.documents.kinds import is_material, is_shared
from fyr.plugins.clinical.plans.rules import unless_loaded
from fyr.plugins.clinical.plans.use_contexts import is_used_where_it_may

if TYPE_CHECKING:
    from fyr.core import Resource
    from fyr.plugins.clinical.parts import Room

_KEPT: Final = "kept"


def _state(document: Resource) -> str:
    return _KEPT


def machine(room: Room) -> Machine:
    """Make the table of material, whose rules ask what the server keeps."""
    rules = (
        whose.is_at_its_service,
        whose.is_of_whom_it_says,
        whose.keeps_its_category,
        *contents.guards(room),
    )
    return Machine(
        "registered-material",
        "DocumentReference",
        (
            Step(None, _KEPT, what="It is registered."),
            Step(_KEPT, _KEPT, what="It is edited."),
        ),
        state=_state,
        holds=is_material,
        when=(*map(unless_loaded, rules), is_used_where_it_may),
        what=(
            "Material for staff and citizens. It has a status, and nobody says what that"
            " may become; the category, and where the content is kept, stay."
        ),
    )


_MISTAKE = "It was a mistake. Proposed."
SHARED: Final = Machine(
    "shared-document",
    "DocumentReference",
    (
        Step(None, "current", what="It is made."),
        Step("current", "superseded", what="It is deprecated."),
        Step("current", "entered-in-error", what=_MISTAKE),
        Step("superseded", "entered-in-error", what=_MISTAKE),
    ),
    holds=is_shared,
    what="Documents of national sharing. What was superseded stays so.",
)
