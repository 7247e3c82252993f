"""Decisions on reads that were made before, of the very same bytes.

What lets a caller read a resource is told by the token, by the bytes of the resource and
by what others say that were looked up. None of the first two changes, so of a decision
that was made before only the last is asked for again, as always behind the resource, and
compared. Nothing is let in that a new decision would refuse; refusals are not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fyr.core import Look, Resource, Subject
    from fyr.plugins.access_control.decisions.caller import Caller

#: How many decisions are kept, and the length of the longest body that has one, in bytes.
_MOST, _LONGEST = 4000, 4096
_Key = tuple["Caller", str, str]
#: Each reference that was looked up, with what was found.
_LookedUp = tuple[tuple[str, "Resource | None"], ...]


class Noting:
    """Looks up for a decision, and notes what it has read."""

    __slots__ = ("_look", "found", "searched")

    def __init__(self, look: Look) -> None:
        """Take what looks things up."""
        self._look = look
        self.found: dict[str, Resource | None] = {}
        #: whether it has asked for what no reference leads to
        self.searched = False

    def read(self, reference: str) -> Resource | None:
        """Read the current version."""
        found = self.found[reference] = self._look.read(reference)
        return found

    def search(self, resource_type: str, /, **criteria: str) -> Sequence[Resource]:
        """Find resources."""
        self.searched = True
        return self._look.search(resource_type, **criteria)


class Settled:
    """A bounded number of decisions that let a caller read something."""

    def __init__(self) -> None:
        """Know of none."""
        #: by what is read, with the bytes that were decided on: to compare them takes a
        #: tenth of the time of finding them by their hash
        self._known: dict[_Key, tuple[bytes, _LookedUp]] = {}

    def holds(self, caller: Caller, subject: Subject, look: Look) -> bool:
        """Whether a caller was let read these bytes, by what is still so."""
        known = self._known.get((caller, subject.type, subject.id))
        if known is None or known[0] != subject.body:
            return False
        for reference, found in known[1]:
            # The same bytes give the same object for a while; another one tells nothing.
            if look.read(reference) is not found:
                return False
        return True

    def note(self, caller: Caller, subject: Subject, noted: Noting) -> None:
        """Remember that a caller was let read a resource, by what was looked up."""
        body = subject.body
        if noted.searched or not body or len(body) > _LONGEST:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        key = (caller, subject.type, subject.id)
        self._known[key] = (body, tuple(noted.found.items()))
