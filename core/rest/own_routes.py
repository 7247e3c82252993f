"""What the server itself has beside FHIR, as routes: health, figures, administration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fyr.core.declarations.routes import Route
from fyr.core.rest.admin import AdminGate, Live, Metrics, Plugins, Ready
from fyr.core.rest.admin_events import event_pages
from fyr.core.rest.admin_outgoing import outgoing_pages
from fyr.core.rest.admin_pages import page

if TYPE_CHECKING:
    from fyr.core.app import Application

_READY: dict[str, Any] = {
    "summary": "Whether requests can be served, and the state of each port",
    "responses": {
        "200": {"description": "They can."},
        "503": {"description": "They cannot."},
    },
}
_METRICS: dict[str, Any] = {
    "summary": "Figures, for Prometheus",
    "responses": {"200": {"description": "All figures of all processes."}},
}


def own_routes(application: Application) -> Iterator[Route]:
    """Tell them; what names something inside is for the holder of ``security.admin_token``."""
    security = application.settings.security
    gate = AdminGate(security.admin_token, is_open=security.mode == "open")
    live = page("/health/live", Live(), "Whether the process answers.")
    yield replace(live, public=True)
    yield Route(
        "/health/ready",
        Ready(application, gate),
        "Whether requests can be served.",
        public=True,
        operations={"GET": _READY},
    )
    figures = Metrics(application, gate)
    told = {"GET": _METRICS}
    yield Route("/metrics", figures, "Figures, for Prometheus.", operations=told)
    plugins = Plugins(application, gate)
    yield page("/admin/plugins", plugins, "Plugins, and how they fare.")
    yield from event_pages(application, gate)
    yield from outgoing_pages(application, gate)
