"""The compiled extractor: all values that a resource can be found by, in one walk.

A resource is walked once, along the tree of places of its type, so that only what is in
it costs time.
"""

from fyr.core.model.resource import Resource
from fyr.core.store.port import IndexRows
from fyr.core.store.schema import CONTAINED
from fyr.search.extraction.contained import rows_within
from fyr.search.extraction.places import Places, taken
from fyr.search.hashes import hash32

#: To be raised with every change of what is taken from the same resource by the same
#: parameters: stored rows are then known to be of before.
EXTRACTOR = 3


class Extractor:
    """Takes from resources their rows in the index tables."""

    def __init__(self, places: Places) -> None:
        """Take what is to be taken."""
        self._places = places
        self._generations: dict[str, int] = {}

    def rows(self, resource: Resource) -> IndexRows:
        """Give the rows of a resource by table, and those of what it contains."""
        found = taken(resource, self._places.of(resource["resourceType"]))
        if "contained" not in resource:
            return found
        return {**found, CONTAINED: list(rows_within(resource))}

    def generation(self, kind: str) -> int:
        """Give the number of what is taken from a type: signed, 32 bits, never 0."""
        found = self._generations.get(kind)
        if found is None:
            taken = [
                (
                    one.name,
                    one.type,
                    one.table,
                    *one.paths,
                    *one.evaluated,
                    *one.components,
                )
                for one in self._places.indexed(kind)
            ]
            left = sorted(self._places.without)
            found = hash32(f"{EXTRACTOR} {kind} {taken} {left}") or 1
            self._generations[kind] = found
        return found
