"""What a deployer may not have meant: told by ``fyr config check`` and at the start.

Nothing here stops a server: what no server can keep its promises with is refused by
:func:`fyr.core.serving.prepare.refuse_unsafe`.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network
from urllib.parse import urlsplit

from fyr.config.settings import Settings
from fyr.core.hooks.plugin import Plugin
from fyr.core.hooks.registry import PluginRegistry
from fyr.core.hosts import is_loopback, public_names

#: Networks with shorter prefixes are no operator's own, by version of IP: the widest
#: private one of IPv4 is 10.0.0.0/8, providers of IPv6 have /16 at most.
_WIDE = {4: 8, 6: 16}
#: But these are (RFC 4193).
_PRIVATE = IPv6Network("fc00::/7")


def cautions(settings: Settings, plugins: PluginRegistry) -> Iterator[str]:
    """Tell what to look at, a sentence each; nothing is started or asked."""
    yield from _of_modes(settings, plugins)
    yield from _of_urls(settings)
    yield from _of_bases(settings, plugins)
    yield from _of_proxies(settings)
    for one in plugins:
        if isinstance(one.target, Plugin):
            for sentence in one.target.cautions(settings):
                yield f"plugin {one.name}: {sentence}"


def _of_modes(settings: Settings, plugins: PluginRegistry) -> Iterator[str]:
    authenticates = bool(plugins.hooks.authenticate)
    if settings.security.mode == "closed":
        if not authenticates:
            yield (
                "security.mode is closed and no plugin authenticates, so nobody can"
                " call: each request to FHIR gets 401"
            )
        elif not plugins.hooks.authorize:
            yield (
                "security.mode is closed and no plugin decides what callers may do, so"
                " whoever is known may do everything"
            )
        return
    if authenticates:
        yield (
            "security.mode is open: whoever sends no token may do everything, though a"
            " plugin knows who sends one"
        )
    if elsewhere := _elsewhere(settings):
        yield (
            "security.mode is open, and others are told to come by"
            f" {', '.join(elsewhere)}: if that leads here, everybody there may do"
            " everything"
        )


def _of_urls(settings: Settings) -> Iterator[str]:
    if settings.security.mode != "closed":
        return
    urls = {
        "server.public_url": settings.server.public_url,
        "streams.public_url": settings.streams.public_url,
        **{
            f"services.{name}.public_url": one.public_url
            for name, one in settings.services.items()
        },
    }
    for name, url in urls.items():
        parts = urlsplit(url)
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            yield (
                f"{name} begins with http://: tokens and health data go through the"
                " network for all to read"
            )


def _of_bases(settings: Settings, plugins: PluginRegistry) -> Iterator[str]:
    """Tell of services whose URLs change with the name that a request came by."""
    named = sorted(name for name, one in settings.services.items() if one.public_url)
    ask = plugins.hooks.register_services
    if not named or settings.server.public_url or not ask:
        return
    offered = (one.name for one in ask(settings=settings))
    nameless = sorted(
        name
        for name in offered
        if name not in named
        and (name not in settings.services or settings.services[name].enabled)
    )
    if nameless:
        yield (
            f"services.{named[0]} has a public_url, and {', '.join(nameless)} have none:"
            " references to what they keep are not known by it. Set server.public_url,"
            " or the public_url of each service"
        )


def _of_proxies(settings: Settings) -> Iterator[str]:
    for one in settings.server.trusted_proxies:
        if _is_wide(one):
            yield (
                f"server.trusted_proxies: {one} holds strangers, and whoever is in it"
                " chooses his address by X-Forwarded-For, for logs and rate limits: name"
                " the networks of the proxies alone"
            )


def _is_wide(network: IPv4Network | IPv6Network) -> bool:
    if network.prefixlen >= _WIDE[network.version]:
        return False
    return not (isinstance(network, IPv6Network) and network.subnet_of(_PRIVATE))


def _elsewhere(settings: Settings) -> list[str]:
    return sorted(one for one in public_names(settings) if not is_loopback(one))
