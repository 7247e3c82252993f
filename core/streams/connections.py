"""Connections of the listener: what is no request is refused here, in few words.

The library would name itself, quote what was sent, and log a traceback for each.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Container

from aiohttp import hdrs, web

from fyr.core.errors import Issue
from fyr.core.rest.outcomes import issue_code, outcome_bytes

_SWEEP_SECONDS = 5.0
JSON: dict[str, str] = {hdrs.CONTENT_TYPE: "application/fhir+json; charset=utf-8"}
#: In place of what the library says of itself.
NAME: dict[str, str] = {hdrs.SERVER: "fyr"}


class _Connection(web.RequestHandler):
    """One connection."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what cannot be read, and close."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        issue = Issue(issue_code(status), "this is no request that is understood here")
        body = outcome_bytes([issue])
        answer = web.Response(status=status, body=body, headers={**JSON, **NAME})
        answer.force_close()
        return answer


class Connections(web.Server):
    """All connections of a process."""

    def __call__(self) -> web.RequestHandler:
        """Make one; the library has no other way to say of which class."""
        return _Connection(self, loop=self._loop, **self._kwargs)

    async def sweep(self, seconds: float, busy: Container[object]) -> None:
        """Close those on which no request comes for so long, until cancelled."""
        since: dict[web.RequestHandler, float] = {}
        while True:
            await asyncio.sleep(min(_SWEEP_SECONDS, seconds))
            now = time.monotonic()
            since = {
                one: since.get(one, now) for one in self.connections if one not in busy
            }
            for one, began in since.items():
                if now - began > seconds:
                    one.force_close()
