"""What all resources of one FHIR service share: how to ask, and how to answer.

Each resource (``system.py``, ``types.py``, ``instance.py``, ``history.py``) stands for
the URLs of one form and has one short method a verb; what a request means is decided
by :class:`fyr.core.interactions.Interactions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from fyr.core.errors import Invalid, MethodNotAllowed, NotFound, UnsupportedMediaType
from fyr.core.interactions.answer import Incoming, IncomingPatch
from fyr.core.interactions.content import BINARY
from fyr.core.interactions.explaining import EXPLAIN, as_text
from fyr.core.interactions.operation_input import Posted, from_query
from fyr.core.query_strings import Pairs, pairs
from fyr.core.rest.answers import give, give_page
from fyr.core.rest.binary import binary_of, is_native
from fyr.core.rest.body import Bodies
from fyr.core.rest.callers import Callers
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.negotiation import (
    PLAIN,
    TEXT,
    VIEW_PARAMETERS,
    View,
    media_type,
    view,
    wants_text,
)

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.context import RequestContext
    from fyr.core.declarations.operations import Level, Operation
    from fyr.core.model.resource import Resource

_FORM = "application/x-www-form-urlencoded"
_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


class ServiceResource:
    """Base of the resources of one service."""

    def __init__(
        self, application: Application, callers: Callers, bodies: Bodies
    ) -> None:
        """Take what a request is passed on to."""
        self._interactions = application.interactions
        self._operations = application.operations
        self._service = callers.service
        self._context = callers.context
        self._bodies = bodies

    def _ask(
        self,
        req: FyrRequest,
        interaction: str,
        resource_type: str | None = None,
        resource_id: str | None = None,
        operation: str | None = None,
        compartment: tuple[str, str] | None = None,
    ) -> tuple[RequestContext, View]:
        """Say what is asked for, and how the answer is to look."""
        query = req.env["QUERY_STRING"]
        params = pairs(query) if query else ()
        context = self._context(
            req, interaction, params, resource_type, resource_id, operation
        )
        if compartment is not None:
            context.compartment = compartment
        if resource_type == BINARY and interaction == "vread":
            # Its own format can be chosen once it is known.
            return context, PLAIN
        return context, view(req.env.get("HTTP_ACCEPT"), params)

    def _search_by_form(
        self,
        req: FyrRequest,
        resp: FyrResponse,
        resource_type: str | None = None,
        compartment: tuple[str, str] | None = None,
    ) -> None:
        """Search with the parameters of a form and of the URL together."""
        interaction = "search-type" if resource_type else "search-system"
        context, _ = self._ask(req, interaction, resource_type, compartment=compartment)
        context.posted = form_pairs(req, self._bodies)
        context.params += context.posted
        wanted = view(req.env.get("HTTP_ACCEPT"), context.params)
        give_page(req, resp, self._interactions.search(context), wanted)

    def _explain(
        self, req: FyrRequest, resp: FyrResponse, resource_type: str | None = None
    ) -> None:
        """Explain a search, as ``_explain=true`` does in its URL, or in plain text."""
        query = req.env["QUERY_STRING"]
        params = pairs(query) if query else ()
        accept = req.env.get("HTTP_ACCEPT")
        plain = wants_text(accept, params)
        wanted = PLAIN if plain else view(accept, params)
        interaction = "search-type" if resource_type else "search-system"
        asked = (*params, (EXPLAIN, "true"))
        context = self._context(req, interaction, asked, resource_type)
        answer = self._interactions.search(context)
        if not plain:
            give_page(req, resp, answer, wanted)
            return
        resp.add({"content-type": TEXT})
        resp.data = as_text(answer.resource()).encode()

    def _incoming(
        self,
        req: FyrRequest,
        resource_type: str | None = None,
        resource_id: str | None = None,
    ) -> Incoming:
        """Give a body that is read and parsed once the request has been admitted."""
        if is_native(req, resource_type):
            return Incoming(lambda: self._binary(req, resource_id))
        return Incoming(lambda: self._bodies.resource(req))

    def _binary(self, req: FyrRequest, resource_id: str | None) -> Resource:
        return binary_of(req, self._bodies, resource_id, self._interactions)

    def _patch(self, req: FyrRequest) -> IncomingPatch:
        """Give a patch that is read and parsed once the request has been admitted."""
        return IncomingPatch(lambda: self._bodies.patch(req))

    def _operate(
        self,
        req: FyrRequest,
        resp: FyrResponse,
        name: str,
        resource_type: str | None = None,
        resource_id: str | None = None,
    ) -> None:
        """Call the operation of a name that begins with ``$``."""
        operation = self._find(name[1:], resource_type, resource_id)
        context, wanted = self._ask(
            req, "operation", resource_type, resource_id, operation.name
        )
        if any(one.name == "_elements" for one in operation.inputs):
            # It says what the operation does, and not how its answer looks.
            wanted = replace(wanted, elements=None)
        if operation.headers:
            context.headers = _headers(req, operation.headers)
        if req.method == "POST":
            source: Incoming = Posted(
                operation,
                lambda: self._bodies.optional_resource(req),
                context.params,
            )
        elif not operation.by_get:
            raise MethodNotAllowed(
                f"${operation.name} changes what is kept: call it by POST",
                headers={"Allow": "POST"},
            )
        else:
            source = Incoming(lambda: from_query(operation, context.params))
        answer = self._interactions.operate(context, source)
        give(req, resp, answer, wanted)

    def _find(
        self, name: str, resource_type: str | None, resource_id: str | None
    ) -> Operation:
        level: Level = "system"
        if resource_type is not None:
            level = "type" if resource_id is None else "instance"
        operation = self._operations.find(name, level, resource_type)
        if not self._service.offers_operation(operation.name, resource_type):
            raise NotFound(f"${operation.name} is not offered by this service")
        return operation


def _headers(req: FyrRequest, names: Iterable[str]) -> dict[str, str]:
    """Tell those of some headers that were sent."""
    env = req.env
    keys = {name: f"HTTP_{name.upper().replace('-', '_')}" for name in names}
    return {name.lower(): env[key] for name, key in keys.items() if key in env}


def refuse_bad_id(req: FyrRequest, resource_id: str) -> None:
    """Refuse an id that no resource can have.

    https://hl7.org/fhir/R4/datatypes.html#id

    :raises NotFound: on reading.
    :raises Invalid: on writing.
    """
    if _ID.fullmatch(resource_id):
        return
    text = f"{resource_id[:80]!r} is not an id: 1 to 64 letters, digits, '-', '.'"
    if req.method in ("PUT", "PATCH"):
        raise Invalid(text)
    raise NotFound(text)


def criteria(context: RequestContext) -> str:
    """Tell the criteria of a conditional interaction as a query.

    :raises Invalid: there are none, and the interaction would be about anything.
    """
    chosen = [pair for pair in context.params if pair[0] not in VIEW_PARAMETERS]
    if not chosen:
        raise Invalid(
            "give an id in the URL, or search criteria that tell which resource is meant"
        )
    return urlencode(chosen)


def form_pairs(req: FyrRequest, bodies: Bodies) -> Pairs:
    """Read the names and values of a form.

    :raises UnsupportedMediaType: the body is something else.
    """
    data = bodies.content(req)
    if not data:
        return ()
    name, _ = media_type(req.content_type or "")
    if name != _FORM:
        raise UnsupportedMediaType(f"send the search parameters as {_FORM}")
    return pairs(data.decode("latin-1"))
