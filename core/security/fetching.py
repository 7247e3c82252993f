"""Small JSON documents of issuers, with a bound on size, time and where they come from.

No redirect is followed: it could lead to where nobody vouches for the answer.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import orjson

from fyr.core.hosts import is_loopback
from fyr.core.security.settings import is_safe_url

#: A JWKS with a dozen certificates is 40 kB.
_MAX_BYTES = 262_144
_CHUNK = 16_384


class Unfetched(Exception):
    """A document that cannot be had, or is not what it should be."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def fetch_object(url: str, seconds: float) -> dict[str, Any]:
    """Get a JSON object.

    :param seconds: for all of it.
    :raises Unfetched: there is no answer, or it is not such an object.
    """
    if not is_safe_url(url):
        raise Unfetched("its address is to begin with https:// unless it is here")
    # Its scheme has been looked at.
    accept = {"Accept": "application/json"}
    request = urllib.request.Request(url, headers=accept)  # noqa: S310
    deadline = time.monotonic() + seconds
    try:
        with _opener(url).open(request, timeout=seconds) as answer:
            body = _read(answer, deadline)
        found = orjson.loads(body)
    except urllib.error.HTTPError as error:
        raise Unfetched(f"it answers {error.code}") from None
    except urllib.error.URLError as error:
        raise Unfetched(f"it cannot be reached: {error.reason}") from None
    except orjson.JSONDecodeError:
        raise Unfetched("its answer is not JSON") from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise Unfetched(f"{type(error).__name__}: {error}") from None
    if not isinstance(found, dict):
        raise Unfetched("its answer is not a JSON object")
    return found


def _opener(url: str) -> urllib.request.OpenerDirector:
    """Make what opens a URL: not by way of a proxy when it is here."""
    if is_loopback(urlsplit(url).hostname or ""):
        direct = urllib.request.ProxyHandler({})
        return urllib.request.build_opener(_NoRedirects, direct)
    return urllib.request.build_opener(_NoRedirects)


def _read(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    body = b""
    while chunk := answer.read1(_CHUNK):
        body += chunk
        if len(body) > _MAX_BYTES:
            raise Unfetched(f"its answer is longer than {_MAX_BYTES} bytes")
        if time.monotonic() > deadline:
            raise Unfetched("its answer takes too long")
    return body
