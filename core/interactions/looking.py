"""What a decision looks up: other resources, as they are now, past all hooks.

Nothing that is looked up is believed to be as it was before: each time the database is
asked, for one row by its key. Kept is only what does not depend on time: what the bytes
of a row say, once they are parsed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fyr.core.context import SYSTEM, RequestContext
from fyr.core.hooks.values.subjects import Subject
from fyr.core.interactions.services import everything

if TYPE_CHECKING:
    from fyr.core.interactions import Interactions
    from fyr.core.model.resource import Resource
    from fyr.core.store.port import Stored

_EVERYTHING = everything()
_MOST_EXPECTED = 4096
_FIRST = 4
#: Letters of the end of credentials, which tell them from others without keeping them.
_END = 43


class Looking:
    """Looks things up by some interactions, past all hooks; remembers what it has read."""

    __slots__ = ("_along", "_found", "_guess", "_hit", "_interactions", "_read")

    def __init__(
        self,
        interactions: Interactions,
        unstored: Mapping[str, Resource | None] | None = None,
    ) -> None:
        """Take the interactions, those of a transaction where one is running.

        :param unstored: by reference, what is to be read as if it were stored.
        """
        self._interactions = interactions
        # Most decisions look nothing up.
        self._read: dict[str, Resource | None] | None = (
            dict(unstored) if unstored else None
        )
        self._found: dict[tuple[str, ...], Sequence[Resource]] | None = None
        #: what is expected to be looked up
        self._guess: tuple[str, ...] = ()
        #: the first of that and what it leads to, where it came with what is decided on
        self._along: tuple[str, Resource | None] | None = None
        #: whether that was looked up
        self._hit = False

    def head(self, context: RequestContext, kind: str, identity: str) -> Stored | None:
        """Read what is to be decided on, and in one statement what that may look up.

        Where a read is a trip both are fetched before (:mod:`fyr.core.rest.quick_requests`).
        """
        interactions = self._interactions
        guess = interactions.expected.of(context.authorization, kind)
        if guess:
            self._guess = guess
            if interactions.near:
                first = guess[0]
                head, found = interactions.resources.read_along(kind, identity, first)
                self._along = first, found
                return head
        return interactions.resources.read(kind, identity)

    @property
    def unguessed(self) -> tuple[str, ...]:
        """What was asked for by :meth:`read`; nothing where that was expected."""
        read = self._read
        if not read:
            return ()
        # A decision may go through many resources: the first are the likely ones.
        asked = (*self._guess[: self._hit], *read)[:_FIRST]
        return () if asked == self._guess else asked

    def read(self, reference: str) -> Resource | None:
        """Read the current version."""
        along = self._along
        if along is not None and along[0] == reference:
            self._hit = True
            return along[1]
        known = self._read
        if known is None:
            known = self._read = {}
        elif reference in known:
            return known[reference]
        kind, _, identity = reference.partition("/")
        found = known[reference] = self._interactions.resources.parsed(kind, identity)
        return found

    def search(self, resource_type: str, /, **criteria: str) -> Sequence[Resource]:
        """Find resources; without a search engine none."""
        engine = self._interactions.engine
        if engine is None:
            return ()
        context = RequestContext(
            _EVERYTHING, "search-type", resource_type, principal=SYSTEM
        )
        pairs = [(_parameter(name), value) for name, value in criteria.items()]
        key = (resource_type, *(part for pair in pairs for part in pair))
        known = self._found
        if known is None:
            known = self._found = {}
        elif key in known:
            return known[key]
        page = self._interactions.database.read(
            lambda session: engine.search(session, context, resource_type, pairs)
        )
        known[key] = [Subject.of(one).resource for one in page.matches]
        return known[key]


class Expected:
    """What decisions on reads looked up last, by whom and for which type.

    A guess at what the next one of the same caller will: it is fetched together with what
    is read (``docs/decisions/serving.md``), and never decided by.
    """

    def __init__(self) -> None:
        """Know of none."""
        #: type -> end of credentials -> references; of most types nobody looks up
        self._known: dict[str, dict[str, tuple[str, ...]]] = {}
        self._number = 0

    def of(self, authorization: str | None, kind: str) -> tuple[str, ...]:
        """Tell the references that a read of a type will have looked up."""
        known = self._known.get(kind)
        if known is None or authorization is None:
            return ()
        return known.get(authorization[-_END:], ())

    def note(self, context: RequestContext, looked_up: tuple[str, ...]) -> None:
        """Remember what a decision has looked up."""
        self._number += 1
        if self._number > _MOST_EXPECTED:
            self._known.clear()
            self._number = 1
        known = self._known.setdefault(context.resource_type or "", {})
        known[(context.authorization or "")[-_END:]] = looked_up


def _parameter(name: str) -> str:
    """Tell the search parameter of a keyword: only at its begin is an underscore one."""
    return name[:1] + name[1:].replace("_", "-")
