"""The compiled extractor: all values that a resource can be found by, in one walk.

A resource is walked once, along the tree of places of its type, so that only what is in
it costs time.
"""

from collections.abc import Mapping
from typing import Any

from fyr.core.model.resource import Resource
from fyr.core.store.port import IndexRows
from fyr.search.places import Node, Places
from fyr.search.values import Rows


class Extractor:
    """Takes from resources their rows in the index tables."""

    def __init__(self, places: Places) -> None:
        """Take what is to be taken."""
        self._places = places

    def rows(self, resource: Resource) -> IndexRows:
        """Give the rows of a resource by table, without ``pid``."""
        places = self._places.of(resource["resourceType"])
        rows = Rows()
        _walk(places.root, resource, rows)
        for number, convert in places.whole.items():
            convert(resource, number, rows)
        return rows.tables()


def _walk(node: Node, value: Mapping[str, Any], rows: Rows) -> None:
    places = node.below
    for name, item in value.items():
        below = places.get(name)
        if below is None:
            continue
        if type(item) is list:
            for one in item:
                if one is not None:
                    _take(below, one, rows)
        else:
            _take(below, item, rows)


def _take(node: Node, value: Any, rows: Rows) -> None:
    for number, convert in node.leaves.items():
        convert(value, number, rows)
    if node.guarded:
        for (name, wanted), below in node.guarded.items():
            if value.get(name) == wanted:
                _take(below, value, rows)
    if node.below:
        _walk(node, value, rows)
