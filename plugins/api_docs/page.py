"""The page and its parts, under a policy that lets nothing else in.

https://www.w3.org/TR/CSP3/
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from hashlib import sha256
from importlib.resources import files

from fyr.core import NotFound, Request, Response

_PACKAGE = "offapi"
#: The texts of all style elements that Swagger UI makes: there is one, in its logo.
STYLES = (".logo_small_svg__cls-2{fill:#fff}.logo_small_svg__cls-3{fill:#85ea2d}",)
_HTML = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fyr: what may be asked</title>
<link rel="stylesheet" href="{path}/swagger-ui.css">
</head>
<body>
<div id="ui"></div>
<noscript>This page needs a script. The documents: <a href="/openapi.json">/openapi.json</a>
</noscript>
<script src="{path}/swagger-ui.js"></script>
<script src="{path}/swagger-preset.js"></script>
<script src="{path}/start.js"></script>
</body>
</html>
"""
# No document or configuration is taken from the address of the page.
_START = """window.ui = SwaggerUIBundle({{
  urls: {urls},
  dom_id: "#ui",
  deepLinking: true,
  queryConfigEnabled: false,
  validatorUrl: null,
  persistAuthorization: false,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: "StandaloneLayout"
}});
"""


def start_script(documents: Mapping[str, str]) -> str:
    """Write the script that shows documents, given by name and path."""
    urls = [{"name": name, "url": url} for name, url in documents.items()]
    return _START.format(urls=json.dumps(urls))


def hash_source(text: str) -> str:
    """Write the source of a policy that lets an element with this very text in.

    https://www.w3.org/TR/CSP3/#external-hash
    """
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def policy(hosts: Iterable[str]) -> str:
    """Write the page's content security policy.

    :param hosts: origins beside its own that it may send requests to.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            # Other styles are set by script, one property at a time, which is allowed.
            " ".join(["style-src 'self'", *(hash_source(one) for one in STYLES)]),
            "img-src 'self' data:",
            " ".join(["connect-src 'self'", *sorted(hosts)]),
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


class Page:
    """The page itself."""

    def __init__(self, path: str, hosts: Iterable[str]) -> None:
        """Take where it is, and which hosts it may ask."""
        self._html = _HTML.format(path=path)
        self._policy = policy(hosts)

    def on_get(self, _req: Request, resp: Response) -> None:
        """Answer it."""
        resp.content_type = "text/html; charset=utf-8"
        resp.set_header("content-security-policy", self._policy)
        resp.text = self._html


class Asset:
    """A file that the page loads; read when it is asked for first."""

    def __init__(self, content_type: str, read: Callable[[], bytes]) -> None:
        """Take what it is, and what reads it."""
        self._content_type = f"{content_type}; charset=utf-8"
        self._read = read

    @classmethod
    def of(cls, content_type: str, content: bytes) -> Asset:
        """Make one of bytes."""
        return cls(content_type, lambda: content)

    @classmethod
    def packaged(cls, content_type: str, name: str) -> Asset:
        """Make one of a file of the package with Swagger UI."""
        return cls(content_type, lambda: files(_PACKAGE).joinpath(name).read_bytes())

    def answer(self, req: Request, resp: Response) -> None:
        """Answer it, or that it is still the same."""
        content, tag = self._content
        resp.set_header("etag", tag)
        if tag in (req.get_header("If-None-Match") or ""):
            resp.status = 304
            return
        resp.content_type = self._content_type
        resp.data = content

    @cached_property
    def _content(self) -> tuple[bytes, str]:
        content = self._read()
        return content, f'"{sha256(content).hexdigest()[:16]}"'


class Parts:
    """All that the page loads, by name."""

    def __init__(self, assets: Mapping[str, Asset]) -> None:
        """Take the parts."""
        self._assets = assets

    def on_get(self, req: Request, resp: Response, name: str) -> None:
        """Answer one.

        :raises NotFound: there is none of this name.
        """
        asset = self._assets.get(name)
        if asset is None:
            raise NotFound("the page has no such part")
        asset.answer(req, resp)
