"""What the storage service keeps behind a URL, for who points at it.

A URL is of here if it has the path of the API under an origin that clients call this
deployment by; what is elsewhere may have the same path.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from fyr.core import KeptContent, NotFound
from fyr.plugins.storage_service.serving import BASE

if TYPE_CHECKING:
    from fyr.core import Application, RequestContext
    from fyr.plugins.storage_service.contents import Contents

_PATH: Final = re.compile(rf"(?:/[^?#]*)?{BASE}/content/([^/?#]+)", re.ASCII)


def looked_up(
    application: Application, contents: Contents, context: RequestContext, url: str
) -> KeptContent | None:
    """Tell what is kept behind a URL; ``None``: it is none of this deployment's."""
    parts = urlsplit(url)
    found = _PATH.fullmatch(parts.path)
    if found is None or _origin(url) not in _origins(application, context):
        return None
    try:
        of = contents.get(found[1]).references
    except NotFound:
        return KeptContent(there=False)
    own = application.services.own

    def relative(reference: str) -> str:
        return own(reference, context.service, context.base_url) or reference

    return KeptContent(True, relative(of.patient), relative(of.episode))


def _origins(application: Application, context: RequestContext) -> set[str]:
    public = application.settings.server.public_url
    bases = [one.public_base for one in application.services]
    return {_origin(one) for one in (context.base_url, public, *bases) if one}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
