"""References as operations are given them, and the URLs that definitions go by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from fyr.core import Invalid

if TYPE_CHECKING:
    from fyr.core import OperationCall, Resource


def asked(call: OperationCall, name: str) -> str | None:
    """Tell what a parameter refers to, relative and without a version.

    It is a string or a Reference; an absolute URL of another server stays as it is.
    ``None``: the parameter was not given.
    """
    return next(iter(_led_to(call, name)), None)


def all_asked(call: OperationCall, *names: str) -> list[str]:
    """Tell what all parameters of some names refer to, in their order, each once.

    :raises fyr.core.errors.Invalid: one refers to nothing, and would go unnoticed.
    """
    for name in names:
        if not all(_text(value) for value in call.values(name)):
            text = f"{name} refers to nothing: its reference is missing"
            raise Invalid(text, expression=[call.place(name)])
    return _led_to(call, *names)


def all_named(call: OperationCall, *names: str) -> list[tuple[str, str]]:
    """Tell what parameters of some names refer to, each with its FHIRPath.

    In their order, as often as they are there.
    """
    given = call.parameters.get("parameter", [])
    return [
        (own(call, _text(value)), f"Parameters.parameter[{number}].value")
        for name in names
        for number, value in zip(
            (place for place, one in enumerate(given) if one.get("name") == name),
            call.values(name),
            strict=True,
        )
    ]


def _led_to(call: OperationCall, *names: str) -> list[str]:
    found = [own(call, _text(value)) for name in names for value in call.values(name)]
    return list(dict.fromkeys(one for one in found if one))


def own(call: OperationCall, url: str) -> str:
    """Tell the relative form of a reference to this server, without its version."""
    if "://" in url:
        context = call.context
        services = call.interactions.services
        url = services.own(url, context.service, context.base_url) or url
    return unversioned(url)


def unversioned(reference: str) -> str:
    """Tell a reference without the version that it may name."""
    return reference.partition("/_history/")[0]


def reference_to(resource: Mapping[str, Any]) -> str:
    """Tell the relative reference to a resource."""
    return f"{resource['resourceType']}/{resource['id']}"


def url_of(call: OperationCall, reference: str) -> str:
    """Tell the absolute URL of a resource of this server, as clients know it."""
    kind = reference.partition("/")[0]
    context = call.context
    base = call.interactions.services.base_of(kind, context.service, context.base_url)
    return f"{base}/{reference}" if base else reference


def entry_of(call: OperationCall, resource: Resource) -> Resource:
    """Make an entry of a Bundle of a resource of this server."""
    return {"fullUrl": url_of(call, reference_to(resource)), "resource": resource}


def elements(resource: Mapping[str, Any], name: str) -> Iterator[str]:
    """Go through where the references in one element lead, unversioned."""
    value = resource.get(name) or []
    for one in value if isinstance(value, list) else [value]:
        reference = one.get("reference")
        if reference:
            yield unversioned(str(reference))


def rewrite(resource: Any, other: Callable[[str], str]) -> None:
    """Put other references into a resource, in place."""
    waiting = [resource]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("reference"), str):
                value["reference"] = other(value["reference"])
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("reference")
    return str(value or "")
