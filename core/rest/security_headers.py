"""The headers that every answer has, whatever it says.

Answers are data, also where a browser would take them for a page: FHIR's XML carries
narrative in XHTML, a Binary anything at all. So a browser is told to run nothing in
them, to guess no types and to tell nobody where it has been
(https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers).
An answer that sets one of these headers itself, as the page of a plugin may, keeps it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fyr.config.server import ServerSettings

#: Nothing is loaded, run, framed or sent from an answer.
RUNS_NOTHING = "default-src 'none'; frame-ancestors 'none'; sandbox"
#: ``server.cache`` -> what browsers may keep: https://www.rfc-editor.org/rfc/rfc9111
_CACHE = {
    # They ask before they show it again, and a 304 says that it is still so.
    "revalidate": "private, no-cache",
    "no-store": "no-store",
}


def fixed_headers(settings: ServerSettings) -> Mapping[str, str]:
    """Tell the headers of all answers of a deployment, names in lower case."""
    fixed = {
        "x-content-type-options": "nosniff",
        "content-security-policy": RUNS_NOTHING,
        "referrer-policy": "no-referrer",
        "cache-control": _CACHE[settings.cache],
    }
    if settings.hsts_seconds:
        fixed["strict-transport-security"] = f"max-age={settings.hsts_seconds}"
    return fixed
