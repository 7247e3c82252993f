"""How a reference parameter leads to resources: by type and id, or by their URL.

https://hl7.org/fhir/R4/references.html#canonical
"""

from functools import lru_cache

from fyr.search.extraction.expressions import NotSimple
from fyr.search.extraction.spots import Node, spots_of
from fyr.search.parameters import Parameter

_URIS = frozenset({"canonical", "uri"})


@lru_cache(maxsize=4096)
def by_url(parameter: Parameter) -> bool:
    """Whether a parameter reads elements that name resources by their URL."""
    return any(_reads_url(parameter, path) for path in parameter.paths)


def _reads_url(parameter: Parameter, path: str) -> bool:
    try:
        spots = list(spots_of(Node(), parameter.resource_type, "reference", path))
    except NotSimple:
        # Read from the whole resource: none of R4's are URLs.
        return False
    return any(spot.code in _URIS for spot in spots)
