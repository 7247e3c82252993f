"""FHIR history and vread: what was stored before.

https://hl7.org/fhir/R4/http.html#history, #vread
"""

from __future__ import annotations

from fyr.core.interactions.content import BINARY
from fyr.core.rest.answers import give_page
from fyr.core.rest.binary import give_binary
from fyr.core.rest.blob_content import give_one
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.service import ServiceResource, refuse_bad_id


class History(ServiceResource):
    """``/_history``, ``/{type}/_history``, ``/{type}/{id}/_history[/{version}]``."""

    def on_get(
        self,
        req: FyrRequest,
        resp: FyrResponse,
        resource_type: str | None = None,
        resource_id: str | None = None,
    ) -> None:
        """Answer versions, the newest first (history)."""
        level = "system"
        if resource_type is not None:
            level = "type" if resource_id is None else "instance"
        if resource_id is not None:
            refuse_bad_id(req, resource_id)
        context, wanted = self._ask(req, f"history-{level}", resource_type, resource_id)
        give_page(req, resp, self._interactions.history(context), wanted)

    on_head = on_get

    def on_get_version(
        self,
        req: FyrRequest,
        resp: FyrResponse,
        resource_type: str,
        resource_id: str,
        version: str,
    ) -> None:
        """Answer one version (vread)."""
        refuse_bad_id(req, resource_id)
        context, wanted = self._ask(req, "vread", resource_type, resource_id)
        answer = self._interactions.vread(context, version)
        if resource_type == BINARY:
            give_binary(req, resp, answer, context, self._interactions)
            return
        give_one(req, resp, answer, wanted, self._interactions.blobs)

    on_head_version = on_get_version
