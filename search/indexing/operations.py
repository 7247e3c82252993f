"""Operations about the search index: ``$reindex``, ``$reindex-status``, ``$status``.

https://hl7.org/fhir/R4/operations.html. States of a SearchParameter: ``stored`` (no
worker has begun), ``indexing``, ``active``, ``refused`` (with the reasons), ``built-in``
(the server knows it anyway) and ``not-active`` (its status is not active).
"""

from collections.abc import Callable, Sequence
from typing import Any

from fyr.core.clock import to_millis
from fyr.core.declarations.operations import (
    Operation,
    OperationCall,
    OperationParameter,
)
from fyr.core.model.definitions import RESOURCE_TYPES
from fyr.core.model.resource import Resource
from fyr.search.indexing.checking import is_standard, kinds_of, problems, slow, texts
from fyr.search.indexing.job import Reindex
from fyr.search.indexing.sets import IndexSet, Progress

_SLOW = (
    "its expression is not a path and is evaluated on the whole of each resource:"
    " writes take longer"
)


def reindex_operations(reindex: Callable[[], Reindex]) -> list[Operation]:
    """Make the operations."""

    def start(call: OperationCall) -> Resource:
        assert call.session is not None  # it affects state
        types = [call.resource_type] if call.resource_type else sorted(RESOURCE_TYPES)
        job = reindex().force(call.session, types)
        where = f"{call.context.base_url}/$reindex-status"
        return _parameters(job=("valueString", job), status=("valueUri", where))

    def status(call: OperationCall) -> Resource:
        return _parameters_of(_types(reindex()))

    def parameter(call: OperationCall) -> Resource:
        return _parameters_of(state(reindex(), call.subject()))

    text = "string"
    return [
        Operation(
            "reindex",
            start,
            frozenset({"system", "type"}),
            affects_state=True,
            documentation="Have a worker index all resources anew, of a type or of all.",
            parameters=(
                OperationParameter("job", text, use="out"),
                OperationParameter("status", "uri", use="out"),
            ),
        ),
        Operation(
            "reindex-status",
            status,
            frozenset({"system"}),
            documentation="Tell which types are being indexed, and how far that is.",
            parameters=(OperationParameter("type", use="out", max="*", parts=_PARTS),),
        ),
        Operation(
            "status",
            parameter,
            frozenset({"instance"}),
            types=frozenset({"SearchParameter"}),
            documentation="Tell whether resources can be found by a SearchParameter.",
            parameters=_PARTS,
        ),
    ]


_PARTS = tuple(
    OperationParameter(name, type_, use="out")
    for name, type_ in (
        ("state", "code"),
        ("reason", "string"),
        ("progress", "decimal"),
        ("secondsLeft", "integer"),
        ("note", "string"),
    )
)


def state(reindex: Reindex, resource: Resource) -> list[Resource]:
    """Tell the state of a SearchParameter, as parameters."""
    if resource.get("status") != "active":
        reason = f"its status is {resource.get('status')}"
        return [_one("state", "valueCode", "not-active"), _one_text("reason", reason)]
    if is_standard(resource):
        return [_one("state", "valueCode", "built-in")]
    # How far types are is read first: one that ends meanwhile is told as active.
    reached = {kind: reindex.progress(kind) for kind in kinds_of(resource)}
    current = reindex.sets.current(at_once=True)
    if not any(one.get("id") == resource["id"] for one in current.custom):
        reason = texts(problems(resource, current.parameters))
        told = reason or "another one that was stored before has the same code"
        return [_one("state", "valueCode", "refused"), _one_text("reason", told)]
    waiting = _waiting(current, resource)
    found = [_one("state", "valueCode", "active")]
    if waiting:
        found = _progress(reindex, [reached[kind] for kind in waiting])
    if slow(resource):
        found.append(_one_text("note", _SLOW))
    return found


def _waiting(current: IndexSet, resource: Resource) -> list[str]:
    """Tell the types whose resources cannot all be found by a parameter yet."""
    return [
        kind
        for kind in kinds_of(resource)
        if not current.active(current.parameters.of(kind)[resource["code"]])
    ]


def _progress(reindex: Reindex, reached: Sequence[Progress]) -> list[Resource]:
    """Tell how far types are, taken together."""
    now = to_millis(reindex.clock())
    total = sum(one.total for one in reached)
    begun = any(one.started for one in reached)
    fraction = sum(one.done for one in reached) / total if total else 0.0
    found = [
        _one("state", "valueCode", "indexing" if begun else "stored"),
        _one("progress", "valueDecimal", round(min(1.0, fraction), 4)),
    ]
    left = [one.seconds_left(now) for one in reached]
    known = [seconds for seconds in left if seconds is not None]
    if known:
        found.append(_one("secondsLeft", "valueInteger", sum(known)))
    return found


def _types(reindex: Reindex) -> list[Resource]:
    return [
        {
            "name": "type",
            "part": [
                _one("name", "valueCode", kind),
                *_progress(reindex, [reindex.progress(kind)]),
            ],
        }
        for kind in reindex.waiting()
    ]


def _one(name: str, key: str, value: Any) -> Resource:
    return {"name": name, key: value}


def _one_text(name: str, value: str) -> Resource:
    return _one(name, "valueString", value)


def _parameters(**values: tuple[str, Any]) -> Resource:
    return _parameters_of([_one(name, *value) for name, value in values.items()])


def _parameters_of(found: list[Resource]) -> Resource:
    made: Resource = {"resourceType": "Parameters"}
    return {**made, "parameter": found} if found else made
