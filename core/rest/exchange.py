"""One HTTP request and its answer: Falcon's classes with what Fyr keeps beside them.

Trace ids by https://www.w3.org/TR/trace-context/, request ids by
https://hl7.org/fhir/R4/http.html#custom.
"""

import random
import re
from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any

import falcon
import orjson

from fyr.core.context import RequestContext
from fyr.core.observability.logging import TRACE
from fyr.core.observability.masking import masked

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_NO_TRACE = "0" * 32
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


class Exchange:
    """What is known of a request while it is answered: ``req.context``."""

    __slots__ = ("began", "caller", "request_id", "trace_id", "traceparent")

    def __init__(self) -> None:
        """Start the watch."""
        self.began = perf_counter()
        #: the request as the interactions see it; ``None`` until it is known to be one
        self.caller: RequestContext | None = None
        self.trace_id = ""
        self.request_id = ""
        self.traceparent = ""

    def identify(self, env: dict[str, Any]) -> None:
        """Take the ids that a request brings, or make them."""
        sent = env.get("HTTP_X_REQUEST_ID")
        parent = env.get("HTTP_TRACEPARENT")
        if sent is None and parent is None:
            # Not a secret: only different from all others.
            trace_id = f"{random.getrandbits(128):032x}"
            self.trace_id = self.request_id = trace_id
        else:
            trace_id = self._honour(sent, parent)
        TRACE.set(trace_id)

    def _honour(self, sent: str | None, parent: str | None) -> str:
        wanted = sent if sent and _REQUEST_ID.fullmatch(sent) else ""
        # One that logs would hide, such as a token or a CPR number, finds nothing there.
        if wanted and masked(wanted) != wanted:
            wanted = ""
        match = _TRACEPARENT.fullmatch(parent.strip()) if parent else None
        if match and match[2] != _NO_TRACE and match[1] != "ff":
            self.trace_id = match[2]
            self.traceparent = f"00-{match[2]}-{random.getrandbits(64):016x}-{match[4]}"
        else:
            self.trace_id = wanted or f"{random.getrandbits(128):032x}"
        self.request_id = wanted or self.trace_id
        return self.trace_id


class FyrRequest(falcon.Request):
    """A request whose ``context`` is an :class:`Exchange`."""

    __slots__ = ()
    context_type = Exchange
    context: Exchange  # type: ignore[assignment]

    @property
    def caller(self) -> RequestContext:
        """Who asks for what; of a plugin's route, unless it is public and not counted.

        :raises RuntimeError: nobody has asked who it is.
        """
        caller = self.context.caller
        if caller is None:
            raise RuntimeError("this route is public and not counted: nobody is known")
        return caller

    def content(self, limit: int) -> bytes:
        """Read the body, unpacked, of at most so many bytes.

        :raises fyr.core.TooLarge: it has, or becomes, more.
        :raises fyr.core.UnsupportedMediaType: it is packed in a way that is not read.
        :raises fyr.core.Invalid: what was said about it is not so.
        """
        from fyr.core.rest.body import Bodies

        return Bodies(limit).content(self)

    def chunks(self, limit: int) -> Iterator[bytes]:
        """Read the body in pieces, unpacked; what is wrong is told while it is read.

        :raises fyr.core.FyrError: what :meth:`content` does.
        """
        from fyr.core.rest.body import Bodies

        return Bodies(limit).chunks(self, limit)

    def etags(self, name: str) -> tuple[str, ...] | None:
        """Tell what stands in ``If-Match`` or ``If-None-Match``, if it was sent.

        :return: the texts between the quotes, or ``("*",)``.
        :raises fyr.core.Invalid: it is not a list of ETags.
        """
        from fyr.core.rest.http_dates import versions

        header = self.env.get(f"HTTP_{name.upper().replace('-', '_')}")
        return None if header is None else versions(name, header)


class FyrResponse(falcon.Response):
    """A response that takes several headers at once, names in lower case."""

    __slots__ = ()
    _headers: dict[str, str]

    def add(self, headers: dict[str, str]) -> None:
        """Set headers; values must be Latin-1 without line ends."""
        self._headers.update(headers)

    def tell(self, told: object, status: int = 200) -> None:
        """Answer plain JSON values."""
        self.status = status
        self.data = orjson.dumps(told)
        self.add({"content-type": "application/json"})

    def _wsgi_headers(self, media_type: str | None = None) -> list[tuple[str, str]]:
        # Falcon gives its default type to what has no body, too.
        if self._headers.get("content-length") == "0":
            media_type = None
        return super()._wsgi_headers(media_type)

    def common(self, request_id: str, fixed: Mapping[str, str]) -> None:
        """Set the headers that every answer has, where it has none of its own."""
        headers = {**fixed, **self._headers}
        headers["x-request-id"] = request_id
        self._headers = headers


#: By these names plugins import them.
Request = FyrRequest
Response = FyrResponse
