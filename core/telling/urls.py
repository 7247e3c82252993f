"""Absolute URLs for messages and notifications, whose readers know no base URL of this server."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fyr.config.server import ServerSettings
    from fyr.core.interactions.services import Services

#: Takes a service's name and ``Type/id`` and gives the absolute URL; the name is empty
#: for a reference, whose service is that of its type.
Absolute = Callable[[str, str], str]

_LOCAL = re.compile(r"([A-Z][A-Za-z]+)/\S+")


def absolute_by(services: Services, server: ServerSettings) -> Absolute:
    """Make the function that writes references out, by the services' public URLs.

    A service without one is told under ``server.public_url``, or under the address that
    this server listens on: right on one machine, and a setting to give on more.
    """
    root = server.root
    home = lru_cache(maxsize=1024)(
        lambda type_, service: services.home_of(type_, root, service)
    )

    def absolute(service: str, reference: str) -> str:
        match = _LOCAL.fullmatch(reference)
        base = home(match[1], service) if match else ""
        return f"{base}/{reference}" if base else reference

    return absolute
