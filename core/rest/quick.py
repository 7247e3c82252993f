"""Which requests are answered so quickly that no other thread need be asked.

Reads and vreads of the stored bytes: one row by its key, nothing parsed. Not searches,
operations, metadata or routes of plugins, and nothing that is to be converted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from fyr.core.app import Application

#: Hooks that a read passes; what a plugin does there may take any time.
_HOOKS = (
    "request_received",
    "authenticate",
    "authorize",
    "before_interaction",
    "before_show",
    "completed",
)


def quick_reads(application: Application) -> Callable[[Any], bool]:
    """Give a function that tells whether one of waitress's requests is a quick read."""
    mode = application.settings.server.quick_reads
    asked = any(getattr(application.hooks, name) for name in _HOOKS)
    if mode == "never" or (mode == "auto" and asked):
        return lambda _request: False
    paths = "|".join(re.escape(one.path) for one in application.services)
    is_read = re.compile(
        rf"/(?:{paths})/[A-Z][A-Za-z]*/[A-Za-z0-9.\-]{{1,64}}(?:/_history/[0-9]+)?"
    ).fullmatch

    def quick(request: Any) -> bool:
        return (
            not request.error
            and request.command in ("GET", "HEAD")
            and not request.query
            and is_read(request.path) is not None
            and "xml" not in request.headers.get("ACCEPT", "")
        )

    return quick
