"""Parts of resources: ``_summary`` and ``_elements``.

https://hl7.org/fhir/R4/search.html#summary and #elements. What was cut is tagged
SUBSETTED, so that nobody stores it back by mistake.
"""

from collections.abc import Callable, Sequence
from typing import Any

from fyr.core.errors import Invalid
from fyr.core.model.definitions import Element, TypeDefinition, definition
from fyr.core.model.resource import Resource

#: The tag of a resource that is not complete.
SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}
#: Values of ``_summary``.
SUMMARIES = ("true", "text", "data", "count", "false")
#: Members that every part keeps, because a client cannot do without.
_ALWAYS = frozenset({"resourceType", "id", "meta"})

#: Whether an element is kept.
Choice = Callable[[Element], bool]


def shape(
    resource: Resource, summary: str | None, elements: Sequence[str] | None
) -> Resource:
    """Give the part of a resource that was asked for; the input stays as it is.

    :param summary: a value of ``_summary``, or ``None``; ``count`` is about Bundles
        and leaves a resource that is asked for as it is.
    :param elements: names of ``_elements`` at the root, such as ``name``; they may have
        the type before them (``Patient.name``). Mandatory elements are always kept.
    :raises Invalid: ``summary`` is none of :data:`SUMMARIES`, or both are asked for.
    """
    if summary is not None and summary not in SUMMARIES:
        raise Invalid(f"_summary is one of {', '.join(SUMMARIES)}")
    kind = resource["resourceType"]
    if elements:
        if summary not in (None, "false"):
            raise Invalid("_summary and _elements cannot be used together")
        return _cut(resource, _named(kind, elements))
    if summary == "true":
        return _tagged(_summary(resource, definition(kind)))
    if summary == "text":
        return _cut(resource, _named(kind, ["text"]))
    if summary == "data":
        return _cut(resource, lambda element: element.name != "text")
    return resource


def _named(kind: str, names: Sequence[str]) -> Choice:
    wanted = {name.strip().removeprefix(f"{kind}.") for name in names}
    return lambda element: (
        element.min > 0 or element.name in wanted or element.choice_of in wanted
    )


def _cut(resource: Resource, wanted: Choice) -> Resource:
    fields = definition(resource["resourceType"])
    kept = {
        key: value for key, value in resource.items() if _is_kept(key, fields, wanted)
    }
    return _tagged(kept)


def _is_kept(key: str, fields: TypeDefinition, wanted: Choice) -> bool:
    if key in _ALWAYS:
        return True
    element = fields.elements.get(key.removeprefix("_"))
    return element is None or wanted(element)


def _summary(content: dict[str, Any], fields: TypeDefinition) -> dict[str, Any]:
    """Keep what R4 marks as summary, at every depth."""
    kept: dict[str, Any] = {}
    for key, value in content.items():
        element = fields.elements.get(key.removeprefix("_"))
        if key in _ALWAYS or element is None:
            kept[key] = value
        elif element.summary or element.min > 0:
            part = _summary_of(value, element) if key == element.name else value
            if part:
                kept[key] = part
            elif value is False or isinstance(value, int | float):
                kept[key] = value
    return kept


def _summary_of(value: Any, element: Element) -> Any:
    """Cut what is inside a backbone element; a datatype is kept as a whole."""
    if element.type_code == "Resource" or element.primitive:
        return value
    if element.type_code != "BackboneElement" or element.children is None:
        return value
    if isinstance(value, list):
        return [_summary(item, element.children) for item in value]
    return _summary(value, element.children)


def _tagged(resource: Resource) -> Resource:
    meta = resource.get("meta") or {}
    tags = meta.get("tag") or []
    if any(
        isinstance(tag, dict) and tag.get("code") == SUBSETTED["code"] for tag in tags
    ):
        return resource
    tagged = {**meta, "tag": [*tags, dict(SUBSETTED)]}
    if "meta" in resource:
        return {**resource, "meta": tagged}
    head: Resource = {k: resource[k] for k in ("resourceType", "id") if k in resource}
    return {**head, "meta": tagged, **resource}
