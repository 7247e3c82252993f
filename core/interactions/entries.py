"""An entry of a batch or transaction as the interaction that it asks for.

https://hl7.org/fhir/R4/bundle-definitions.html#Bundle.entry.request
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from fyr.core.context import RequestContext
from fyr.core.errors import Invalid, Issue, NotSupported
from fyr.core.interactions.answer import Answer, Incoming, IncomingPatch
from fyr.core.interactions.moments import span_of
from fyr.core.interactions.operation_input import Posted, from_query
from fyr.core.interactions.preconditions import tags

if TYPE_CHECKING:
    from fyr.core.declarations.operations import Level
    from fyr.core.interactions import Interactions
    from fyr.core.model.patch import Patch
    from fyr.core.model.resource import Resource

#: Form of the path -> its pattern, where it is not the same for all methods.
_TYPE = r"(?P<type>[A-Z][A-Za-z]*)"
_ID = r"(?P<id>[A-Za-z0-9\-.]{1,64})"
_FORMS = {
    form: re.compile(pattern)
    for form, pattern in {
        "system": r"",
        "type": _TYPE,
        "search": rf"(?:{_TYPE}/)?_search",
        "compartment": rf"(?P<owner>[A-Z][A-Za-z]*)/{_ID}/(?:{_TYPE}|\*)(?:/_search)?",
        "history": rf"(?:{_TYPE}/(?:{_ID}/)?)?_history",
        "operation": rf"(?:{_TYPE}/(?:{_ID}/)?)?\$(?P<operation>[A-Za-z0-9\-_]+)",
        "instance": rf"{_TYPE}/{_ID}",
        "version": rf"{_TYPE}/{_ID}/_history/(?P<version>[A-Za-z0-9\-.]{{1,64}})",
    }.items()
}
#: Method and form -> interaction; the level is put after those that end in a dash.
_INTERACTIONS = {
    ("GET", "system"): "search-",
    ("GET", "type"): "search-",
    ("GET", "search"): "search-",
    ("GET", "compartment"): "search-",
    ("GET", "history"): "history-",
    ("GET", "operation"): "operation",
    ("GET", "instance"): "read",
    ("GET", "version"): "vread",
    ("POST", "type"): "create",
    ("POST", "search"): "search-",
    ("POST", "compartment"): "search-",
    ("POST", "operation"): "operation",
    ("PUT", "type"): "update",
    ("PUT", "instance"): "update",
    ("PATCH", "type"): "patch",
    ("PATCH", "instance"): "patch",
    ("DELETE", "type"): "delete",
    ("DELETE", "instance"): "delete",
}
#: Order in which a transaction does them; the rest comes last.
WRITES = {"delete": 0, "create": 1, "update": 2, "patch": 2}
_WITH_RESOURCE = frozenset({"create", "update", "patch"})


@dataclass(slots=True)
class Entry:
    """What one entry asks for."""

    number: int
    method: str
    context: RequestContext
    full_url: str = ""
    resource: Resource | None = None
    #: the query of its URL: criteria of an update, patch or delete without an id
    query: str = ""
    version: str = ""
    if_match: tuple[str, ...] | None = None
    if_none_match: tuple[str, ...] | None = None
    if_none_exist: str | None = None
    #: milliseconds since 1970, UTC
    if_modified_since: int | None = None

    @property
    def place(self) -> str:
        """Where it stands, as FHIRPath."""
        return place_of(self.number)

    @property
    def writes(self) -> bool:
        """Whether it stores something."""
        return self.context.interaction in WRITES


def place_of(number: int) -> str:
    """Tell where an entry stands, as FHIRPath."""
    return f"Bundle.entry[{number}]"


def entry_of(
    interactions: Interactions, parent: RequestContext, number: int, raw: Resource
) -> Entry:
    """Understand an entry.

    :param raw: the entry, its structure checked but for the resource in it.
    :raises Invalid: it asks for nothing that can be done, or lacks something.
    """
    request = raw.get("request")
    if request is None:
        raise Invalid([Issue("required", "say by request what is to be done")])
    method = request["method"]
    path, _, query = request["url"].partition("?")
    path = _local(interactions, parent, path)
    form, groups = _form(path)
    # A HEAD is a GET whose answer is not looked at.
    interaction = _INTERACTIONS.get(("GET" if method == "HEAD" else method, form))
    if interaction is None:
        text = f"{method} is not for {request['url'][:200]!r}"
        raise NotSupported(text, expression=["request"])
    if interaction.endswith("-"):
        level = "system" if groups.get("type") is None else "type"
        if groups.get("id") is not None and form != "compartment":
            level = "instance"
        interaction += level
    context = replace(
        parent,
        interaction=interaction,
        resource_type=groups.get("type"),
        resource_id=groups.get("id") if form != "compartment" else None,
        operation=groups.get("operation"),
        params=tuple(_pairs(query)),
        parent=parent,
        compartment=_compartment(form, groups),
        method=method,
    )
    entry = Entry(number, method, context, raw.get("fullUrl", ""), raw.get("resource"))
    entry.query, entry.version = query, groups.get("version") or ""
    _read_conditions(entry, request)
    _require(entry)
    return entry


def _local(interactions: Interactions, parent: RequestContext, path: str) -> str:
    """Tell a path below the base URL, also of a URL that has it in front."""
    path = path.removeprefix(f"{parent.base_url}/") if parent.base_url else path
    if "://" in path:
        own = interactions.services.own(path, parent.service, parent.base_url)
        if own is None:
            text = f"{path[:200]!r} is not at this server"
            raise Invalid(text, expression=["request.url"])
        path = own
    return unquote(path.strip("/"))


def _form(path: str) -> tuple[str, dict[str, str | None]]:
    for form, pattern in _FORMS.items():
        if match := pattern.fullmatch(path):
            return form, match.groupdict()
    text = f"{path[:200]!r} is not a URL of a FHIR interaction"
    raise Invalid(text, expression=["request.url"])


def _compartment(form: str, groups: dict[str, str | None]) -> tuple[str, str] | None:
    if form != "compartment":
        return None
    return groups["owner"] or "", groups["id"] or ""


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, errors="strict")
    except ValueError:
        text = f"{query[:100]!r} is not a query"
        raise Invalid(text, expression=["request.url"]) from None


def _read_conditions(entry: Entry, request: Resource) -> None:
    if "ifMatch" in request:
        entry.if_match = tags("ifMatch", request["ifMatch"])
    if "ifNoneMatch" in request:
        entry.if_none_match = tags("ifNoneMatch", request["ifNoneMatch"])
    if "ifModifiedSince" in request:
        moment = span_of("ifModifiedSince", request["ifModifiedSince"])
        entry.if_modified_since = moment[0]
    entry.if_none_exist = request.get("ifNoneExist")


def _require(entry: Entry) -> None:
    """Refuse an entry that lacks its resource, or what tells which one is meant.

    :raises Invalid: it does.
    """
    context = entry.context
    if entry.resource is not None and not isinstance(entry.resource, dict):
        raise Invalid([Issue("structure", "must be a resource", ("resource",))])
    if context.interaction in _WITH_RESOURCE and entry.resource is None:
        text = f"a {entry.method} needs a resource"
        raise Invalid([Issue("required", text, ("resource",))])
    needs_target = context.interaction in ("update", "patch", "delete")
    if needs_target and context.resource_id is None and not entry.query:
        text = "give an id, or criteria that tell which resource is meant"
        raise Invalid([Issue("required", text, ("request.url",))])


def refuse_criteria(entry: Entry) -> None:
    """Refuse criteria where the service has none in its transactions.

    :raises NotSupported: the entry is a conditional create, update, patch or delete.
    """
    limits = entry.context.service.transaction
    if limits is None or limits.conditional or not entry.writes:
        return
    by_query = entry.context.interaction != "create" and not entry.context.resource_id
    if by_query or entry.if_none_exist is not None:
        text = "a transaction of this service takes no criteria: name what is meant"
        raise NotSupported(text, expression=["request"])


def refuse_references(entry: Entry, paths: Sequence[str]) -> None:
    """Refuse conditional references where the service has none in its transactions.

    :param paths: of the references.
    :raises NotSupported: with each of them.
    """
    limits = entry.context.service.transaction
    if limits is None or limits.conditional:
        return
    text = "a transaction of this service takes no criteria: refer to a resource"
    raise NotSupported([Issue(NotSupported.code, text, (path,)) for path in paths])


def patch_in(resource: Resource) -> Patch:
    """Read the patch that an entry holds: ``Parameters``, or a ``Binary`` with its bytes.

    https://hl7.org/fhir/R4/http.html#patch
    """
    from fyr.core.model.fhirpath_patch import FhirPathPatch
    from fyr.core.model.patch import read

    if resource.get("resourceType") == "Parameters":
        return FhirPathPatch.of(resource)
    if resource.get("resourceType") != "Binary":
        raise Invalid("a patch is a Parameters or a Binary", expression=["resource"])
    from base64 import b64decode

    try:
        data = b64decode(resource.get("data", ""), validate=True)
    except (ValueError, TypeError):
        raise Invalid("not base64", expression=["resource.data"]) from None
    kind = str(resource.get("contentType", "")).partition(";")[0].strip().lower()
    return read(kind, data)


def perform(interactions: Interactions, entry: Entry) -> Answer:
    """Do what an entry asks for, on its own."""
    return _PERFORMERS[entry.context.interaction](interactions, entry)


def _incoming(entry: Entry) -> Incoming:
    return Incoming(entry.resource or {})


def _update(interactions: Interactions, entry: Entry) -> Answer:
    context, source = entry.context, _incoming(entry)
    if context.resource_id is None:
        return interactions.update_by(context, entry.query, source, entry.if_match)
    return interactions.update(context, source, entry.if_match, entry.if_none_match)


def _patch(interactions: Interactions, entry: Entry) -> Answer:
    context = entry.context
    source = IncomingPatch(lambda: patch_in(entry.resource or {}))
    if context.resource_id is None:
        return interactions.patch_by(context, entry.query, source, entry.if_match)
    return interactions.patch(context, source, entry.if_match)


def _delete(interactions: Interactions, entry: Entry) -> Answer:
    if entry.context.resource_id is None:
        return interactions.delete_by(entry.context, entry.query)
    return interactions.delete(entry.context, entry.if_match)


def _operate(interactions: Interactions, entry: Entry) -> Answer:
    context = entry.context
    level: Level = "system"
    if context.resource_type is not None:
        level = "type" if context.resource_id is None else "instance"
    operation = interactions.operations.find(
        context.operation or "", level, context.resource_type
    )
    if entry.method == "POST":
        source: Incoming = Posted(operation, lambda: entry.resource, context.params)
    elif not operation.by_get:
        raise NotSupported(f"${operation.name} changes what is kept: POST it")
    else:
        source = Incoming(lambda: from_query(operation, context.params))
    return interactions.operate(context, source)


_PERFORMERS: dict[str, Callable[[Interactions, Entry], Answer]] = {
    "read": lambda interactions, entry: interactions.read(
        entry.context, entry.if_none_match, entry.if_modified_since
    ),
    "vread": lambda interactions, entry: interactions.vread(
        entry.context, entry.version
    ),
    "create": lambda interactions, entry: interactions.create(
        entry.context, _incoming(entry), entry.if_none_exist
    ),
    "update": _update,
    "patch": _patch,
    "delete": _delete,
    "operation": _operate,
    "search-type": lambda interactions, entry: interactions.search(entry.context),
    "search-system": lambda interactions, entry: interactions.search(entry.context),
    "history-instance": lambda interactions, entry: interactions.history(entry.context),
    "history-type": lambda interactions, entry: interactions.history(entry.context),
    "history-system": lambda interactions, entry: interactions.history(entry.context),
}
