"""Hosts: which are this machine, and by which a deployment listens and is known."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from fyr.config.settings import Settings


def is_loopback(host: str) -> bool:
    """Whether a name or an address (with brackets or not) is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def network_of(address: str) -> str:
    """Tell whose an address is: of IPv6 everybody has a network of 64 bits."""
    if ":" not in address:
        return address
    try:
        number = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if number.ipv4_mapped is not None:  # on a socket that takes both
        return str(number.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(number) >> 64 << 64, 64)))


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
