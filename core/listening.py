"""Where a deployment listens, and by which names it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fyr.core.hosts import is_loopback

if TYPE_CHECKING:
    from fyr.config.settings import Settings


def listening(settings: Settings) -> dict[str, str]:
    """Tell each host that ``fyr serve`` listens on, by the setting that says so.

    Whatever else comes to listen belongs in here.
    """
    found = {"server.host": settings.server.host}
    if settings.streams.port is not None and settings.streams.host:
        found["streams.host"] = settings.streams.host
    broker = urlsplit(settings.messages.url)
    if broker.scheme == "embedded":
        found["messages.url"] = broker.hostname or ""
    return found


def beyond_loopback(settings: Settings) -> str:
    """Tell where other machines could reach this deployment; empty: nowhere."""
    return ", ".join(
        f"{name} is {host}"
        for name, host in listening(settings).items()
        if not is_loopback(host)
    )


def public_names(settings: Settings) -> frozenset[str]:
    """Tell the hosts of all URLs that clients are to see, in small letters."""
    urls = [settings.server.public_url, settings.streams.public_url]
    urls += [one.public_url for one in settings.services.values()]
    return frozenset(filter(None, (urlsplit(url).hostname for url in urls)))
