"""Whom messages may be sent to: nobody inside of the network, unless the settings say so.

A client that may name an address would otherwise have this server call what only it can
reach (https://owasp.org/www-community/attacks/Server_Side_Request_Forgery). What a name
leads to is looked at when a connection is made, and that very address is connected to.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from fyr.config.outgoing import OutgoingSettings
from fyr.core.hosts import is_loopback

#: IPv6 addresses in which an IPv4 address stands: https://www.rfc-editor.org/rfc/rfc6052
_NAT64 = ip_network("64:ff9b::/96")
#: Besides what a network says of itself as a whole.
_SCHEMES = {"http": 80, "https": 443}

Address = IPv4Address | IPv6Address


class Unreachable(Exception):
    """An address that may not be sent to, or that cannot be found."""


class ReachPolicy:
    """Says of a URL or a host whether it may be sent to, and where it is."""

    def __init__(self, settings: OutgoingSettings) -> None:
        """Take what is allowed, and what is allowed only."""
        self._allow = Places(settings.allow)
        self._only = Places(settings.only)

    def problem(self, url: str) -> str:
        """Tell why a URL may not be sent to; empty when nothing is known against it.

        Asks no name server: what a name leads to is looked at when it is sent to.
        """
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            return "it is not a URL"
        if parts.scheme not in _SCHEMES:
            return "it is to begin with https://"
        if not host or host != host.strip() or "\\" in url or "%" in host:
            return "it is to name a host"
        if parts.username is not None or parts.password is not None:
            return "it is not to hold a name or a password: use a header"
        if parts.fragment:
            return "it is not to have a fragment"
        return self.host_problem(host, encrypted=parts.scheme == "https")

    def host_problem(self, host: str, *, encrypted: bool) -> str:
        """Tell why a host may not be sent to; empty when nothing is known against it.

        :param encrypted: whether what is sent is.
        """
        address = _literal(host)
        allowed = self._allow.have(host, address)
        if self._only.any and not (self._only.have(host, address) or allowed):
            return "this deployment does not send there"
        # `localhost` and the like, which need no name server to be known.
        hidden = is_private(address) if address else is_loopback(host)
        if hidden and not allowed:
            return "it is an address of this deployment's own network"
        if address is None and not allowed and not _is_name(host):
            return "it is to name a host"
        if not encrypted and not allowed:
            return "it is to begin with https://"
        return ""

    def addresses(self, host: str, port: int, *, encrypted: bool = True) -> list[str]:
        """Tell to which addresses of a host a connection may be made, in their order.

        :raises Unreachable: it has none, or none that may be sent to.
        """
        if problem := self.host_problem(host, encrypted=encrypted):
            raise Unreachable(problem)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Unreachable("its name is not known") from error
        named = self._allow.have(host, None)
        usable = []
        for entry in found:
            text = str(entry[4][0])
            address = ip_address(text.partition("%")[0])
            fits_only = not self._only.any or self._only.have(host, address)
            inside = named or self._allow.have(host, address)
            if inside or (encrypted and fits_only and not is_private(address)):
                usable.append(text)
        if not usable:
            raise Unreachable("it leads to addresses that are not sent to")
        return list(dict.fromkeys(usable))


class Places:
    """Hosts, networks and ``loopback``, as the settings name them."""

    def __init__(self, places: Iterable[str]) -> None:
        """Take their texts."""
        texts = [place.lower() for place in places]
        self._networks = [ip_network(one) for one in texts if "/" in one]
        self._names = {one for one in texts if "/" not in one}
        self._loopback = "loopback" in self._names
        #: whether there are any
        self.any = bool(texts)

    def have(self, host: str, address: Address | None) -> bool:
        """Whether a host, or the address that it leads to, is among them."""
        host = host.lower().rstrip(".").strip("[]")
        if address is not None:
            if self._loopback and _plain(address).is_loopback:
                return True
            plain = _plain(address)
            if any(plain in one for one in self._networks):
                return True
        if self._loopback and is_loopback(host):
            return True
        return host in self._names or any(
            one.startswith("*.") and host.endswith(one[1:]) for one in self._names
        )


def is_private(address: Address) -> bool:
    """Whether an address is not one of the public internet."""
    plain = _plain(address)
    return not plain.is_global or plain.is_multicast or plain.is_reserved


def _plain(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 address stands for, if it does for one."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped or address.sixtofour:
            return address.ipv4_mapped or address.sixtofour or address
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    """Whether it is a name with dots that does not end in digits.

    ``2130706433``, ``0x7f.1`` and ``127.1`` are 127.0.0.1 to many resolvers; a name
    without dots is one of the own network.
    """
    labels = host.rstrip(".").split(".")
    return len(labels) > 1 and not labels[-1][:1].isdigit()
