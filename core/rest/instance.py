"""FHIR read, update, patch, delete: ``/{type}/{id}``, and ``/{type}/$operation``.

https://hl7.org/fhir/R4/http.html#read, #update, #patch, #delete
"""

from __future__ import annotations

from fyr.core.errors import MethodNotAllowed
from fyr.core.interactions.content import BINARY
from fyr.core.query_strings import pairs
from fyr.core.rest.answers import give_written
from fyr.core.rest.binary import give_binary
from fyr.core.rest.blob_content import give_one
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.http_dates import modified_since, versions
from fyr.core.rest.negotiation import PLAIN, accepted, view
from fyr.core.rest.service import ServiceResource, refuse_bad_id


class Instance(ServiceResource):
    """``/{type}/{id}``."""

    def on_get(
        self, req: FyrRequest, resp: FyrResponse, resource_type: str, resource_id: str
    ) -> None:
        """Answer the current version (read); the path that is walked most."""
        if not resource_id.isalnum():
            if resource_id[:1] == "$":
                self._operate(req, resp, resource_id, resource_type)
                return
            refuse_bad_id(req, resource_id)
        env = req.env
        query = env["QUERY_STRING"]
        params = pairs(query) if query else ()
        context = self._context(req, "read", params, resource_type, resource_id)
        accept = env.get("HTTP_ACCEPT")
        if resource_type == BINARY:
            wanted = PLAIN
        elif params:
            wanted = view(accept, params)
        else:
            wanted = PLAIN if accept is None else accepted(accept)
        if "HTTP_IF_NONE_MATCH" in env or "HTTP_IF_MODIFIED_SINCE" in env:
            answer = self._interactions.read(context, *_unless(req))
        else:
            answer = self._interactions.read(context)
        if resource_type == BINARY:
            give_binary(req, resp, answer, context, self._interactions)
            return
        give_one(req, resp, answer, wanted, self._interactions.blobs)

    on_head = on_get

    def on_post(
        self, req: FyrRequest, resp: FyrResponse, resource_type: str, resource_id: str
    ) -> None:
        """Call an operation on the type."""
        if resource_id[:1] != "$":
            raise MethodNotAllowed(
                f"POST is for {resource_type[:80]} or an operation; an update is a PUT",
                headers={"Allow": "GET, HEAD, PUT, PATCH, DELETE"},
            )
        self._operate(req, resp, resource_id, resource_type)

    def on_put(
        self, req: FyrRequest, resp: FyrResponse, resource_type: str, resource_id: str
    ) -> None:
        """Store a new version, or the first one (update)."""
        refuse_bad_id(req, resource_id)
        context, wanted = self._ask(req, "update", resource_type, resource_id)
        answer = self._interactions.update(
            context,
            self._incoming(req, resource_type, resource_id),
            tags(req, "If-Match"),
            tags(req, "If-None-Match"),
        )
        give_written(req, resp, answer, wanted)

    def on_patch(
        self, req: FyrRequest, resp: FyrResponse, resource_type: str, resource_id: str
    ) -> None:
        """Change parts of the current version (patch)."""
        refuse_bad_id(req, resource_id)
        context, wanted = self._ask(req, "patch", resource_type, resource_id)
        answer = self._interactions.patch(
            context, self._patch(req), tags(req, "If-Match")
        )
        give_written(req, resp, answer, wanted)

    def on_delete(
        self, req: FyrRequest, resp: FyrResponse, resource_type: str, resource_id: str
    ) -> None:
        """Say that the resource is gone (delete)."""
        refuse_bad_id(req, resource_id)
        context, wanted = self._ask(req, "delete", resource_type, resource_id)
        answer = self._interactions.delete(context, tags(req, "If-Match"))
        give_written(req, resp, answer, wanted)


def tags(req: FyrRequest, name: str) -> tuple[str, ...] | None:
    """Tell the version ids of ``If-Match`` or ``If-None-Match``, if it was sent."""
    header = req.env.get(f"HTTP_{name.upper().replace('-', '_')}")
    return None if header is None else versions(name, header)


def _unless(req: FyrRequest) -> tuple[tuple[str, ...] | None, int | None]:
    """Tell the versions and the instant that the client has seen; the tags decide."""
    seen = tags(req, "If-None-Match")
    if seen is not None:
        return seen, None
    return None, modified_since(req.env["HTTP_IF_MODIFIED_SINCE"])
