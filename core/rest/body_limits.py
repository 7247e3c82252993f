"""Which requests may bring a body as large as a blob: all others are cut off sooner.

The HTTP worker keeps a body on disk until it is whole, so that it must know by the head
of a request how much of it to take.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fyr.core.app import Application


@dataclass(frozen=True, slots=True)
class LargeBodies:
    """The paths, and how many bytes a body may have there."""

    paths: re.Pattern[str]
    limit: int


def large_bodies(application: Application) -> LargeBodies:
    """Tell where blobs come in: Binary in its own format, and routes that say so."""
    services = "|".join(re.escape(one.path) for one in application.services)
    paths = [rf"/(?:{services})/Binary(?:/[^/]+)?/?"]
    for route in application.routes:
        if route.large:
            paths.append(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(route.path)))
    return LargeBodies(
        re.compile("|".join(paths)), application.settings.blobs.max_bytes
    )
