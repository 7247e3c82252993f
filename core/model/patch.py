"""Patches: https://hl7.org/fhir/R4/http.html#patch.

Three kinds, all applied to a copy and in full or not at all. The result is not yet
validated: it goes the way of every other write.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, Final

from fyr.core.errors import Refused, UnsupportedMediaType
from fyr.core.model import json, xml
from fyr.core.model.fhirpath_patch import FhirPathPatch
from fyr.core.model.json import DEFAULT_LIMITS, Limits
from fyr.core.model.json_patch import JsonPatch
from fyr.core.model.resource import Resource
from fyr.core.model.xml_patch import Operation as XmlOperation
from fyr.core.model.xml_patch import XmlPatch

Patch = JsonPatch | FhirPathPatch | XmlPatch


def _fhirpath_json(data: bytes, limits: Limits) -> Patch:
    return FhirPathPatch.of(json.parse(data, limits))


def _fhirpath_xml(data: bytes, limits: Limits) -> Patch:
    return FhirPathPatch.of(xml.parse(data, limits))


_READERS: dict[str, Callable[[bytes, Limits], Patch]] = {
    "application/json-patch+json": JsonPatch.read,
    "application/xml-patch+xml": XmlPatch.read,
    "application/fhir+json": _fhirpath_json,
    "application/json": _fhirpath_json,
    "application/fhir+xml": _fhirpath_xml,
    "application/xml": _fhirpath_xml,
}
#: Media types of a patch; those of FHIR mean FHIRPath Patch.
MEDIA_TYPES: Final = tuple(_READERS)


def read(media_type: str, data: bytes, limits: Limits = DEFAULT_LIMITS) -> Patch:
    """Read the body of a PATCH.

    :param media_type: without parameters, in lower case.
    :raises UnsupportedMediaType: not one of :data:`MEDIA_TYPES`.
    :raises Invalid: not a patch of its kind; all problems at once.
    """
    reader = _READERS.get(media_type)
    if reader is None:
        raise UnsupportedMediaType(
            f"a patch is {', '.join(MEDIA_TYPES)}, and not {media_type or 'untyped'}"
        )
    return reader(data, limits)


def apply(resource: Resource, patch: Patch) -> Resource:
    """Give the patched resource; what was passed in stays as it is.

    :raises Refused: the patch does not fit this resource, a test in it fails, or it
        would change the type or the id.
    :raises Invalid: a FHIRPath in it cannot be evaluated.
    """
    patched = patch.apply(deepcopy(resource))
    if not isinstance(patched, dict):
        raise Refused("a patch must leave a resource")
    for name in ("resourceType", "id"):
        if patched.get(name) != resource.get(name):
            raise Refused(f"a patch must not change {name}", expression=[name])
    return patched


def texts(patch: Patch) -> Iterator[str]:
    """Tell all texts that a patch brings, wherever they stand in it."""
    for operation in patch.operations:
        if isinstance(operation, XmlOperation):
            yield operation.text
            for element in operation.elements:
                for node in element.iter():
                    yield from map(str, node.attrib.values())
        else:
            yield from _texts(operation.value)


def _texts(value: Any) -> Iterator[str]:
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list):
            left += one


__all__ = ["MEDIA_TYPES", "Patch", "apply", "read", "texts"]
