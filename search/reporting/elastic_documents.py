"""Documents as Elasticsearch keeps them: mappings, bulk lines, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from fyr.core.declarations.projections import COMMON, Projection
from fyr.core.errors import Unavailable
from fyr.search.reporting.elastic_errors import reason_of
from fyr.search.reporting.port import Document, NoSuchGeneration, Refusal

#: Field of a document whose resource was deleted.
DELETED = "deleted"
_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "keyword": {"type": "keyword"},
    "number": {"type": "double"},
    "date": {"type": "date", "format": "epoch_millis"},
    "boolean": {"type": "boolean"},
    # Words come apart by spaces, folded already, so that both adapters find the same.
    "text": {"type": "text", "analyzer": "whitespace"},
}


def mappings(projection: Projection) -> dict[str, Any]:
    """Write the mappings of an index; what is not in them is refused."""
    fields = {one.name: dict(_FIELDS[one.type]) for one in projection.columns}
    common = {one.name: dict(_FIELDS[one.type]) for one in COMMON}
    common["version"] = {"type": "long"}
    return {
        "dynamic": "strict",
        "_meta": {"type": projection.type},
        "properties": {**common, DELETED: {"type": "boolean"}, **fields},
    }


def action(index: str, one: Document) -> bytes:
    """Write the line of a bulk request that says what is done with a document."""
    return orjson.dumps(
        {
            "index": {
                "_index": index,
                "_id": one.id,
                "version": one.version,
                # What is repeated may heal; what is older does nothing.
                "version_type": "external_gte",
            }
        }
    )


def source_of(one: Document) -> bytes:
    """Write the line with the document."""
    known = {"id": one.id, "version": one.version}
    if one.values is None:
        return orjson.dumps({**known, DELETED: True})
    return orjson.dumps({**known, **one.values})


def refusal_of(one: Document, result: Mapping[str, Any]) -> Refusal | None:
    """Tell whether a document was refused for good.

    :raises Unavailable: not for good.
    :raises NoSuchGeneration: there is no index of it.
    """
    status, error = result["status"], result.get("error")
    # 409: something newer is there.
    if error is None or status == 409:
        return None
    reason = reason_of(error)
    if status == 404:
        raise NoSuchGeneration(reason)
    if status == 429 or status >= 500:
        raise Unavailable(f"Elasticsearch cannot take it now: {reason}")
    return Refusal(one.type, one.id, one.version, reason)
