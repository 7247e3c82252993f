"""Fetches what is to be imported, from where the settings say and nowhere else.

A URL has to begin as one of ``import_from`` does, and what it leads to has to be an address
that ``[outgoing]`` lets this server reach; redirects are not followed.
"""

from __future__ import annotations

import posixpath
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from fyr.core import Refused, Unavailable
from fyr.core.errors import TooLarge
from fyr.core.outgoing.policy import ReachPolicy, Unreachable
from fyr.core.rest.body import unzipped

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

    from fyr.config.settings import Settings
    from fyr.plugins.bulk_data.settings import BulkDataSettings

_CHUNK = 262_144
_POOLS = 4


class SourceAway(Unavailable):
    """A source that does not answer at present, or that stopped in the middle."""

    def __init__(self, url: str, reason: str) -> None:
        """Take where it is, and in a few words what has happened."""
        super().__init__(f"{url[:200]} cannot be read: {reason}")
        self.reason = reason


class Fetching:
    """Fetches files by HTTP."""

    def __init__(self, settings: Settings, own: BulkDataSettings) -> None:
        """Take what is allowed."""
        self._outgoing = settings.outgoing
        self._policy = ReachPolicy(settings.outgoing)
        self._own = own

    def problem(self, url: str) -> str:
        """Tell why nothing is fetched from a URL; empty: nothing is known against it."""
        if not self._own.import_from:
            return "this deployment fetches nothing: upload it"
        elsewhere = "it is not one that this deployment fetches from"
        # First, as not all that may be sent as a URL can be taken apart.
        if not any(url.startswith(one) for one in self._own.import_from):
            return elsewhere
        path = unquote(urlsplit(url).path)
        # What leads out of a folder again is not in it.
        if posixpath.normpath(path) != path.rstrip("/") or "//" in path:
            return elsewhere
        return self._policy.problem(url)

    def chunks(self, url: str) -> Iterator[bytes]:
        """Read a file, unpacked.

        :raises Refused: it may not be fetched, or there is none, or it takes too long.
        :raises TooLarge: there is too much of it.
        :raises SourceAway: its server does not answer at present.
        """
        if problem := self.problem(url):
            raise Refused(f"{url[:200]}: {problem}")
        from urllib3.exceptions import HTTPError

        from fyr.core.outgoing.connections import pool_manager
        from fyr.core.outgoing.tls import ClientTls

        manager = pool_manager(
            self._policy, ClientTls(self._outgoing.tls_ca), pools=_POOLS
        )
        try:
            yield from self._read(manager, url)
        except Unreachable as error:
            raise Refused(f"{url[:200]}: {error}") from None
        except (HTTPError, OSError) as error:
            raise SourceAway(url, type(error).__name__) from None
        finally:
            manager.clear()

    def _read(self, manager: Any, url: str) -> Iterator[bytes]:
        headers = {"Accept": "application/fhir+ndjson", "Accept-Encoding": "gzip"}
        answer: BaseHTTPResponse = manager.urlopen(
            "GET",
            url,
            headers=headers,
            redirect=False,
            retries=False,
            timeout=self._own.import_fetch_seconds,
            preload_content=False,
        )
        try:
            _require_content(url, answer.status)
            sent = self._pieces(url, answer)
            packed = answer.headers.get("Content-Encoding", "").lower() == "gzip"
            limit = self._own.import_bytes
            yield from unzipped(sent, limit) if packed else _bounded(sent, limit)
        finally:
            # One that still has bytes of this file in it is of no use.
            answer.close()

    def _pieces(self, url: str, answer: BaseHTTPResponse) -> Iterator[bytes]:
        """Give what has come as it comes, so that a slow source can be given up."""
        most = self._own.import_file_seconds
        end = time.monotonic() + most
        while piece := answer.read1(_CHUNK, decode_content=False):
            yield piece
            if time.monotonic() > end:
                raise Refused(f"{url[:200]} takes longer than {most:g} seconds")


def _require_content(url: str, status: int) -> None:
    if status >= 500 or status == 429:
        raise SourceAway(url, f"it answers {status}")
    if status != 200:
        raise Refused(f"{url[:200]} answers {status}")


def _bounded(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"a file to be imported has more than {limit} bytes")
        yield chunk
