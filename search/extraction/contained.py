"""What contained resources are found by: https://hl7.org/fhir/R4/references.html#contained.

They are indexed with what contains them, and by R4's own parameters only: others come and
go for one type, and what contains resources of that type is not indexed anew for it.
"""

from collections.abc import Iterator
from functools import lru_cache

from fyr.core.model.resource import Resource
from fyr.core.store.port import Row
from fyr.core.store.schema import SEATS
from fyr.search.extraction.places import Places, TypePlaces, taken
from fyr.search.extraction.rows import NO_SYSTEM
from fyr.search.hashes import contained_id, inside_id
from fyr.search.parameters import Parameters
from fyr.search.texts import bounded
from fyr.search.tree import Source

_PLACES = Places(Parameters())


def rows_within(resource: Resource) -> Iterator[Row]:
    """Take what the contained resources are found by: seat, table and row of each value.

    The numbers of places are others than those of resources that stand alone, so that no
    search of these meets them; one place more has the id.
    """
    for seat, one in enumerate(resource["contained"][:SEATS]):
        kind = one["resourceType"]
        identity = bounded(one.get("id", ""))
        yield seat, "idx_token", (inside_id(kind), identity, NO_SYSTEM)
        for table, rows in taken(one, _PLACES.of(kind)).items():
            for number, *values in rows:
                yield seat, table, (contained_id(number), *values)


@lru_cache(maxsize=512)
def numbers_within(kind: str) -> frozenset[int]:
    """Tell the places that contained resources of a type are found by.

    As they are numbered in resources that stand alone.
    """
    return frozenset(one.number for one in _sources(_PLACES.of(kind)))


def _sources(places: TypePlaces) -> Iterator[Source]:
    for found in (places.sources, places.beside, places.canonical):
        for sources in found.values():
            yield from sources
    for parts in places.composites.values():
        for part in parts:
            for values in (part.rows, *(one for _, one in part.apart)):
                yield from (*values.sources, *values.canonical)
