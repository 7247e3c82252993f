"""Where a request comes from: the address of the client, not of the proxies before Fyr.

A proxy adds to ``X-Forwarded-For`` whom it was asked by, and a client may send that
header too. So the list is read from its end, for as long as those who wrote it are
proxies that the deployer has named.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


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
    try:
        address = ipaddress.ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
