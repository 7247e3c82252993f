"""The compiled extractor: all values that a resource can be found by, in one walk.

A resource is walked once, along the tree of places of its type, so that only what is in
it costs time.
"""

from fyr.core.model.resource import Resource
from fyr.core.store.port import IndexRows
from fyr.search.places import Places
from fyr.search.rows import Rows
from fyr.search.spots import walk


class Extractor:
    """Takes from resources their rows in the index tables."""

    def __init__(self, places: Places) -> None:
        """Take what is to be taken."""
        self._places = places

    def rows(self, resource: Resource) -> IndexRows:
        """Give the rows of a resource by table, without ``pid``."""
        places = self._places.of(resource["resourceType"])
        rows = Rows()
        walk(places.root, resource, rows)
        for number, convert in places.whole.items():
            convert(resource, number, rows)
        return rows.tables()
