"""Which URLs in a search are this deployment's own: they are kept relative."""

from collections.abc import Callable

from fyr.config.settings import Settings
from fyr.core.context import RequestContext
from fyr.core.declarations.services import Service


class Addresses:
    """Knows the base URLs of a deployment."""

    def __init__(self, settings: Settings) -> None:
        """Take those that are written in the settings."""
        self._bases = _bases(settings)
        #: gives the relative form of an own URL, as the services know it
        self.own: Callable[[str, Service, str], str | None] = _stranger

    def relative(self, context: RequestContext, url: str) -> str:
        """Write a URL of this deployment relative; leave others as they are."""
        own = self.own(url, context.service, context.base_url)
        if own is not None:
            return own
        known = {*self._bases, context.base_url, context.service.public_base}
        for base in known - {""}:
            if url.startswith(base + "/"):
                return url[len(base) + 1 :]
        return url


def _stranger(url: str, service: Service, base_url: str) -> str | None:
    """Take every URL for another server's."""
    return None


def _bases(settings: Settings) -> frozenset[str]:
    """Tell the base URLs that this deployment is known by."""
    named = {
        url.rstrip("/")
        for one in settings.services.values()
        for url in (one.public_url, *one.former_urls)
    }
    if settings.server.public_url:
        named.add(settings.server.public_url.rstrip("/") + "/fhir")
    return frozenset(named)
