"""Values that lead to one patient: references to what belongs to a single one.

Who may not know patients could otherwise follow one by their episode of care, their
appointment or their relative as well as by their number.
"""

from __future__ import annotations

import re
from functools import cache

from fyr.search.understanding.compartments import compartment

_LITERAL = re.compile(
    r"(?:.*/)?([A-Z][A-Za-z]+)/[A-Za-z0-9.-]{1,64}(?:/.*)?", re.DOTALL
)
#: Types of the compartment of a patient whose resources are about many.
_OF_MANY = frozenset({"CareTeam", "Group", "List", "Schedule"})


def leads_to_one(value: object) -> bool:
    """Whether a key or a value of a filter leads to one patient."""
    if not isinstance(value, str):
        return False
    match = _LITERAL.fullmatch(value)
    return match is not None and match[1] in _types()


@cache
def _types() -> frozenset[str]:
    """Tell the types of which each resource belongs to one patient."""
    inside = compartment("Patient").types
    return frozenset({"Patient", *(kind for kind in inside if inside[kind])}) - _OF_MANY
