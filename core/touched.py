"""A version that an interaction has shown or made, for those who take notice of it."""

from dataclasses import dataclass
from typing import Literal

#: What was done with it.
How = Literal["read", "create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Touched:
    """One version of a resource, and what was done with it."""

    type: str
    id: str
    version: int
    how: How
