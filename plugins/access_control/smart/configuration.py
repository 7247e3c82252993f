"""What apps are told of authorization, for each FHIR service.

In ``.well-known/smart-configuration`` and, for older apps, in the CapabilityStatement:
https://hl7.org/fhir/smart-app-launch/conformance.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import falcon

from fyr.core import Route, Service

if TYPE_CHECKING:
    from fyr.core import Resource
    from fyr.plugins.access_control.settings import AccessControlSettings

_SERVICE = {
    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
    "code": "SMART-on-FHIR",
    "display": "SMART-on-FHIR",
}
_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
#: URI of the extension -> member of the configuration
_ENDPOINTS = {
    "authorize": "authorization_endpoint",
    "token": "token_endpoint",
    "register": "registration_endpoint",
    "manage": "management_endpoint",
    "introspect": "introspection_endpoint",
    "revoke": "revocation_endpoint",
}


def smart_routes(
    settings: AccessControlSettings, services: Iterable[Service]
) -> Iterator[Route]:
    """Offer the configuration below the base of each service."""
    document = Configuration(configuration(settings))
    for one in services:
        yield Route(
            f"/{one.path}/.well-known/smart-configuration",
            document,
            "Tells apps where tokens are had and which scopes there are.",
            public=True,
        )


def configuration(settings: AccessControlSettings) -> dict[str, Any]:
    """Make the document; what the deployer does not tell is not in it."""
    smart = settings.smart
    issuer = smart.issuer or (settings.issuers[0].issuer if settings.issuers else "")
    told = {
        "issuer": issuer,
        "authorization_endpoint": smart.authorization_endpoint,
        "token_endpoint": smart.token_endpoint,
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": [
            f"{level}/*.{letters}"
            for level in ("patient", "user", "system")
            for letters in ("cruds", "rs")
        ],
        "capabilities": smart.capabilities,
    }
    return {name: value for name, value in {**told, **smart.more}.items() if value}


def with_oauth(statement: Resource, told: dict[str, Any]) -> Resource:
    """Say in a CapabilityStatement what the configuration tells of endpoints.

    https://hl7.org/fhir/smart-app-launch/1.0.0/conformance/index.html
    """
    uris = [
        {"url": name, "valueUri": told[member]}
        for name, member in _ENDPOINTS.items()
        if isinstance(told.get(member), str)
    ]
    security: dict[str, Any] = {"service": [{"coding": [_SERVICE]}]}
    if uris:
        security["extension"] = [{"url": _URIS, "extension": uris}]
    rest = [
        {**one, "security": {**one.get("security", {}), **security}}
        for one in statement["rest"]
    ]
    return {**statement, "rest": rest}


class Configuration:
    """The document, the same for everybody."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Take it."""
        self._document = document

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Give it."""
        resp.media = self._document
