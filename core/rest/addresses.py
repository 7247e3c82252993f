"""Where a request comes from: the address of the client, not of the proxies before Fyr.

A proxy adds to ``X-Forwarded-For`` whom it was asked by, and a client may send that
header too. So the list is read from its end, for as long as those who wrote it are
proxies that the deployer has named. Some proxies write the port of the client behind
its address (``198.51.100.7:5678``, ``[2001:db8::7]:443``); it is left out. What is no
address ends the list: the client is then the last proxy that is known.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: An entry: an address, where it has brackets or is IPv4 with the port that it had.
#: No zones (``fe80::1%eth0``): they are free text, and mean nothing on another machine.
_HOP = re.compile(
    r"\[(?P<bracketed>[0-9A-Fa-f:.]+)\](:\d{1,5})?"
    r"|(?P<ipv4>[0-9.]+)(:\d{1,5})?"
    r"|(?P<ipv6>[0-9A-Fa-f:.]+)",
    re.ASCII,
)


class Addresses:
    """Tells clients from proxies, by ``server.trusted_proxies``."""

    def __init__(self, proxies: Sequence[Network]) -> None:
        """Take the networks of the proxies."""
        self._proxies = tuple(proxies)
        self._told = lru_cache(maxsize=256)(self._behind)

    def client(self, env: dict[str, Any]) -> str:
        """Tell the address of the client of a request; empty: it has none."""
        peer: str = env.get("REMOTE_ADDR", "")
        if not self._proxies or "HTTP_X_FORWARDED_FOR" not in env:
            return peer
        return self._told(peer, env["HTTP_X_FORWARDED_FOR"])

    def _behind(self, peer: str, forwarded: str) -> str:
        client = peer
        for hop in reversed(forwarded.split(",")):
            if not self._is_proxy(client):
                break
            told = _address(hop)
            if told is None:
                break
            client = str(told)
        return client

    def _is_proxy(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in one for one in self._proxies)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    found = _HOP.fullmatch(text.strip())
    if found is None:
        return None
    try:
        address = ipaddress.ip_address(
            found["bracketed"] or found["ipv4"] or found["ipv6"]
        )
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
