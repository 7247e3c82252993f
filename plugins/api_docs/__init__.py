"""A page on which all that the server offers can be read and tried: ``/docs``.

It is Swagger UI over the OpenAPI documents of the routes and of each service
(https://spec.openapis.org/oas/v3.1.0). The script comes from a package that is installed
with Fyr, so that the page asks no other host for anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from fyr.core import Manifest, Plugin, Route, hookimpl
from fyr.plugins.api_docs.page import Asset, Page, Parts, start_script

if TYPE_CHECKING:
    from fyr.core import Application

PATH = "/docs"


class ApiDocs(Plugin):
    """Shows what may be asked, and asks it."""

    manifest = Manifest("A page about all routes and services, under /docs.")

    def start(self, application: Application) -> None:
        """Take the services, whose documents are shown."""
        self._application = application

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        """Serve the page and what it loads."""
        page = Page(PATH, self._hosts())
        what = "What may be asked."
        yield Route(PATH, page, what, public=True, operations=_read(what, "text/html"))
        script = start_script(dict(self._documents()))
        files = {
            "start.js": Asset.of("text/javascript", script.encode()),
            "swagger-ui.js": Asset.packaged("text/javascript", "swagger_bundle.js"),
            "swagger-preset.js": Asset.packaged("text/javascript", "swagger_preset.js"),
            "swagger-ui.css": Asset.packaged("text/css", "swagger_style.css"),
        }
        parts = Parts(files)
        what = f"A part of {PATH}."
        told = _read(what, "text/javascript", "text/css")
        told["GET"]["responses"]["304"] = {"description": "It is what the client has."}
        yield Route(f"{PATH}/{{name}}", parts, what, public=True, operations=told)

    def _documents(self) -> Iterator[tuple[str, str]]:
        """Tell the documents by name, each at this server's own address."""
        yield "Routes", "/openapi.json"
        for service in self._application.services:
            yield service.name, f"/{service.path.strip('/')}/openapi.json"

    def _hosts(self) -> frozenset[str]:
        """Tell where services say that they are, so that the page may ask there."""
        bases = (one.public_base for one in self._application.services)
        return frozenset("/".join(base.split("/")[:3]) for base in bases if base)


def _read(what: str, *kinds: str) -> dict[str, Any]:
    """Describe what is read, of these media types, for OpenAPI."""
    answer = {"description": what, "content": {one: {} for one in kinds}}
    return {"GET": {"summary": what, "responses": {"200": answer}}}
