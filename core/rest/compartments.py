"""Below an instance: its compartment, ``/{type}/{id}/{type}``, and its operations.

https://hl7.org/fhir/R4/http.html#vsearch, https://hl7.org/fhir/R4/search.html#searchcontexts
"""

from __future__ import annotations

import re

from fyr.core.errors import MethodNotAllowed, NotFound
from fyr.core.rest.answers import give_page
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.service import ServiceResource, refuse_bad_id

#: Stands for all types that can be in a compartment.
ALL = "*"
_TYPE = re.compile(r"[A-Z][A-Za-z]*")


class Below(ServiceResource):
    """``/{type}/{id}/{name}``."""

    def on_get(
        self,
        req: FyrRequest,
        resp: FyrResponse,
        resource_type: str,
        resource_id: str,
        name: str,
    ) -> None:
        """Find what is in a compartment, or call an operation on an instance."""
        refuse_bad_id(req, resource_id)
        if name[:1] == "$":
            self._operate(req, resp, name, resource_type, resource_id)
            return
        kind = _searched(resource_type, name)
        context, wanted = self._ask(
            req,
            "search-type" if kind else "search-system",
            kind,
            compartment=(resource_type, resource_id),
        )
        give_page(req, resp, self._interactions.search(context), wanted)

    on_head = on_get

    def on_post(
        self,
        req: FyrRequest,
        resp: FyrResponse,
        resource_type: str,
        resource_id: str,
        name: str,
    ) -> None:
        """Call an operation on an instance."""
        if name[:1] != "$":
            _searched(resource_type, name)
            raise MethodNotAllowed(
                f"a compartment is searched by GET, or by POST to {name}/_search",
                headers={"Allow": "GET, HEAD"},
            )
        refuse_bad_id(req, resource_id)
        self._operate(req, resp, name, resource_type, resource_id)


class CompartmentSearch(ServiceResource):
    """``/{type}/{id}/{type}/_search``."""

    def on_post(
        self,
        req: FyrRequest,
        resp: FyrResponse,
        resource_type: str,
        resource_id: str,
        name: str,
    ) -> None:
        """Find what is in a compartment by a form."""
        refuse_bad_id(req, resource_id)
        kind = _searched(resource_type, name)
        self._search_by_form(req, resp, kind, (resource_type, resource_id))


def _searched(resource_type: str, name: str) -> str | None:
    """Tell the type that is searched in a compartment; ``None``: all of them.

    :raises NotFound: the name is not that of a type.
    """
    if name == ALL:
        return None
    if not _TYPE.fullmatch(name):
        raise NotFound(f"nothing is served below {resource_type}/{{id}}: {name[:80]}")
    return name
