"""FHIR batch, transaction and search over all types: the base URL of a service.

https://hl7.org/fhir/R4/http.html#transaction, #search
"""

from __future__ import annotations

from fyr.core.rest.answers import give, give_page
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.negotiation import preferred
from fyr.core.rest.service import ServiceResource


class System(ServiceResource):
    """The base URL itself, and ``/_search``."""

    def on_get(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Find resources of all types (search-system)."""
        context, wanted = self._ask(req, "search-system")
        give_page(req, resp, self._interactions.search(context), wanted)

    on_head = on_get

    def on_get_explain(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Tell how a search over all types is understood and what it costs."""
        self._explain(req, resp)

    def on_post(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Do what the entries of a Bundle ask for (batch, transaction).

        Which of the two it is stands in the body, so the interaction is told as
        ``transaction`` until the Bundle has been read.
        """
        context, wanted = self._ask(req, "transaction")
        returns = preferred(req.env).returns or "minimal"
        answer = self._interactions.bundle(context, self._incoming(req), returns)
        give(req, resp, answer, wanted)

    def on_post_search(self, req: FyrRequest, resp: FyrResponse) -> None:
        """Find resources of all types by a form (search-system)."""
        self._search_by_form(req, resp)
