"""``.well-known/smart-configuration``, for each FHIR service.

https://hl7.org/fhir/smart-app-launch/conformance.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import falcon

from fyr.core import Route, Service

if TYPE_CHECKING:
    from fyr.plugins.access_control.settings import AccessControlSettings


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


class Configuration:
    """The document, the same for everybody."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Take it."""
        self._document = document

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Give it."""
        resp.media = self._document
