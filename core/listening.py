"""Where a deployment listens: what is for loopback only asks here."""

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
