"""FHIR create and search on a type, and the conditional interactions: ``/{type}``.

https://hl7.org/fhir/R4/http.html#create, #search, #ccreate, #cond-update
"""

from __future__ import annotations

from urllib.parse import urlencode

from fyr.core.query_strings import pairs
from fyr.core.rest.answers import give_page, give_written
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.instance import tags
from fyr.core.rest.service import ServiceResource, criteria


class TypeLevel(ServiceResource):
    """``/{type}``, ``/{type}/_search`` and ``/$operation``."""

    def on_get(self, req: FyrRequest, resp: FyrResponse, resource_type: str) -> None:
        """Find resources of a type (search-type)."""
        if resource_type[:1] == "$":
            self._operate(req, resp, resource_type)
            return
        context, wanted = self._ask(req, "search-type", resource_type)
        give_page(req, resp, self._interactions.search(context), wanted)

    on_head = on_get

    def on_get_explain(
        self, req: FyrRequest, resp: FyrResponse, resource_type: str
    ) -> None:
        """Tell how a search is understood and what it costs."""
        self._explain(req, resp, resource_type)

    def on_post(self, req: FyrRequest, resp: FyrResponse, resource_type: str) -> None:
        """Store a new resource, under an id that the server gives (create)."""
        if resource_type[:1] == "$":
            self._operate(req, resp, resource_type)
            return
        context, wanted = self._ask(req, "create", resource_type)
        answer = self._interactions.create(
            context, self._incoming(req, resource_type), _if_none_exist(req)
        )
        give_written(req, resp, answer, wanted)

    def on_put(self, req: FyrRequest, resp: FyrResponse, resource_type: str) -> None:
        """Update the resource that criteria tell (conditional update)."""
        context, wanted = self._ask(req, "update", resource_type)
        answer = self._interactions.update_by(
            context,
            criteria(context),
            self._incoming(req, resource_type),
            tags(req, "If-Match"),
        )
        give_written(req, resp, answer, wanted)

    def on_patch(self, req: FyrRequest, resp: FyrResponse, resource_type: str) -> None:
        """Patch the resource that criteria tell (conditional patch)."""
        context, wanted = self._ask(req, "patch", resource_type)
        answer = self._interactions.patch_by(
            context,
            criteria(context),
            self._patch(req),
            tags(req, "If-Match"),
        )
        give_written(req, resp, answer, wanted)

    def on_delete(self, req: FyrRequest, resp: FyrResponse, resource_type: str) -> None:
        """Delete the resource that criteria tell (conditional delete)."""
        context, wanted = self._ask(req, "delete", resource_type)
        answer = self._interactions.delete_by(context, criteria(context))
        give_written(req, resp, answer, wanted)

    def on_post_search(
        self, req: FyrRequest, resp: FyrResponse, resource_type: str
    ) -> None:
        """Find resources of a type by a form (search-type)."""
        self._search_by_form(req, resp, resource_type)


def _if_none_exist(req: FyrRequest) -> str | None:
    """Tell the criteria of a conditional create, if it is one."""
    header: str | None = req.env.get("HTTP_IF_NONE_EXIST")
    if header is None:
        return None
    return urlencode(pairs(header.rpartition("?")[2]))
