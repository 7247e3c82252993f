"""The Falcon application of a server: every URL, and what answers there."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import falcon

from fyr.core.declarations.services import ROUTES
from fyr.core.errors.plugins import PluginError
from fyr.core.hosts import public_names
from fyr.core.model.json import Limits
from fyr.core.rest.addresses import Addresses
from fyr.core.rest.body import Bodies
from fyr.core.rest.callers import Callers
from fyr.core.rest.compartments import Below, CompartmentSearch
from fyr.core.rest.exchange import FyrRequest, FyrResponse
from fyr.core.rest.history import History
from fyr.core.rest.instance import Instance
from fyr.core.rest.metadata import Metadata
from fyr.core.rest.observe import Observer
from fyr.core.rest.openapi_routes import PATH as OPENAPI
from fyr.core.rest.openapi_routes import RoutesDocument
from fyr.core.rest.outcomes import add_error_handlers
from fyr.core.rest.own_routes import own_routes
from fyr.core.rest.plugin_routes import guarded
from fyr.core.rest.system import System
from fyr.core.rest.types import TypeLevel

if TYPE_CHECKING:
    from fyr.core.app import Application
    from fyr.core.declarations.services import Service

FyrApp = falcon.App[FyrRequest, FyrResponse]


def create_wsgi(application: Application) -> FyrApp:
    """Make the WSGI callable that serves an application.

    :raises fyr.core.errors.plugins.PluginError: routes of plugins get in each other's way.
    """
    settings = application.settings
    app: FyrApp = falcon.App(
        request_type=FyrRequest,
        response_type=FyrResponse,
        middleware=[Observer(application)],
    )
    app.req_options.strip_url_path_trailing_slash = True
    add_error_handlers(app)
    _add_own_routes(app, application)
    bodies = Bodies(
        settings.server.max_body_bytes,
        Limits(settings.fhir.max_depth, settings.fhir.max_number_digits),
    )
    for service in application.services:
        _add_service(app, application, service, bodies)
    _add_plugin_routes(app, application)
    return app


def _add_service(
    app: FyrApp, application: Application, service: Service, bodies: Bodies
) -> None:
    """Serve FHIR under ``/<path>``: https://hl7.org/fhir/R4/http.html#summary."""
    callers = _callers(application, service)
    parts = (application, callers, bodies)
    system, types, history = System(*parts), TypeLevel(*parts), History(*parts)
    metadata = Metadata(application, callers)
    base = f"/{service.path.strip('/')}"
    one_type = f"{base}/{{resource_type}}"
    instance = f"{one_type}/{{resource_id}}"
    app.add_route(base, system)
    app.add_route(f"{base}/_search", system, suffix="search")
    app.add_route(f"{base}/_explain", system, suffix="explain")
    app.add_route(f"{base}/_history", history)
    app.add_route(f"{base}/metadata", metadata)
    app.add_route(f"{base}/metadata/operations/{{key}}", metadata, suffix="operation")
    app.add_route(f"{base}/openapi.json", metadata, suffix="openapi")
    app.add_route(one_type, types)
    app.add_route(f"{one_type}/_search", types, suffix="search")
    app.add_route(f"{one_type}/_explain", types, suffix="explain")
    app.add_route(f"{one_type}/_history", history)
    app.add_route(instance, Instance(*parts))
    app.add_route(f"{instance}/_history", history)
    app.add_route(f"{instance}/_history/{{version}}", history, suffix="version")
    app.add_route(f"{instance}/{{name}}", Below(*parts))
    app.add_route(f"{instance}/{{name}}/_search", CompartmentSearch(*parts))


def _callers(application: Application, service: Service) -> Callers:
    settings = application.settings
    return Callers(
        service,
        application.clock,
        names=public_names(settings),
        addresses=Addresses(settings.server.trusted_proxies),
    )


def _add_own_routes(app: FyrApp, application: Application) -> None:
    own = list(own_routes(application))
    for route in own:
        app.add_route(route.path, route.resource)
    app.add_route(OPENAPI, RoutesDocument(application, own))


#: What a service tells of itself to those who know only its base, SMART apps for one.
_WELL_KNOWN = re.compile(r"/[^{}]+/\.well-known/[a-z-]+").fullmatch


def _add_plugin_routes(app: FyrApp, application: Application) -> None:
    """Add the routes of plugins; none may take a path that is taken."""
    root = application.settings.server.public_url
    callers = _callers(application, replace(ROUTES, public_base=root.rstrip("/")))
    problems: list[str] = []
    taken = _taken(application)
    for route in application.routes:
        parts = route.path.strip("/").split("/")
        served = [one for one in taken if parts[: len(one)] == one]
        if "{" in parts[0]:
            served.append(parts[:1])
        if served and not _WELL_KNOWN(route.path):
            path = "/".join(served[0])
            problems.append(f"route {route.path}: the server itself serves /{path}")
            continue
        try:
            app.add_route(route.path, guarded(route, application.interactions, callers))
        except ValueError as error:
            problems.append(f"route {route.path}: {error}")
    if problems:
        raise PluginError(problems)


def _taken(application: Application) -> list[list[str]]:
    """Tell the paths, in parts, below which only the server serves."""
    own = ["admin", "health", "metrics", OPENAPI.strip("/")]
    services = [service.path.strip("/") for service in application.services]
    return [path.split("/") for path in (*own, *services)]


__all__ = ["FyrApp", "create_wsgi"]
