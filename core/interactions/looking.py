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

    __slots__ = ("_along", "_found", "_guess", "_interactions", "_read")

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
        #: what the first of these leads to, where that came with what is decided on
        self._along: tuple[Resource | None] | None = None

    def head(self, context: RequestContext, kind: str, identity: str) -> Stored | None:
        """Read what is to be decided on, and in one statement what that may look up.

        Where a read is a trip both are fetched before (:mod:`fyr.core.rest.quick_requests`).
        """
        interactions = self._interactions
        expected, resources = interactions.expected, interactions.resources
        if kind in expected.types:
            self._guess = guess = expected.of(context.authorization, kind)
            if guess and interactions.near:
                head, found = resources.read_along(kind, identity, guess[0])
                self._along = (found,)
                return head
        return resources.read(kind, identity)

    @property
    def unguessed(self) -> tuple[str, ...]:
        """What was asked for by :meth:`read`; nothing where that was expected."""
        read = self._read
        if not read:
            return ()
        # A decision may go through many resources: the first are the likely ones.
        asked = tuple(read)[:_FIRST]
        return () if asked == self._guess else asked

    def read(self, reference: str) -> Resource | None:
        """Read the current version."""
        known = self._read
        if known is None:
            known = self._read = {}
        elif reference in known:
            return known[reference]
        along = self._along
        if along is not None and self._guess[0] == reference:
            (found,) = along
        else:
            kind, _, identity = reference.partition("/")
            found = self._interactions.resources.parsed(kind, identity)
        known[reference] = found
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
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}
        #: types of which somebody has something looked up; of most nobody has
        self.types: set[str] = set()

    def of(self, authorization: str | None, kind: str) -> tuple[str, ...]:
        """Tell the references that a read of a type will have looked up."""
        if authorization is None:
            return ()
        return self._known.get((authorization[-_END:], kind), ())

    def note(self, context: RequestContext, looked_up: tuple[str, ...]) -> None:
        """Remember what a decision has looked up."""
        if len(self._known) >= _MOST_EXPECTED:
            self._known.clear()
        end, kind = (context.authorization or "")[-_END:], context.resource_type or ""
        self.types.add(kind)
        self._known[end, kind] = looked_up


def _parameter(name: str) -> str:
    """Tell the search parameter of a keyword: only at its begin is an underscore one."""
    return name[:1] + name[1:].replace("_", "-")
