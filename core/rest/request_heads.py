"""Which heads of requests are read: those that everybody on the way reads alike.

waitress takes a request that says its length in two ways and goes by one of them. A
proxy that goes by the other would let a second request pass inside the first
(https://www.rfc-editor.org/rfc/rfc9112#section-11.2); so both are refused, and with
them what the same standard lets a server refuse for that reason.
"""

from __future__ import annotations

import re
from copy import copy

from waitress.parser import HTTPRequestParser, ParsingError

from fyr.core.rest.body_limits import LargeBodies

#: The one way to say it: https://www.rfc-editor.org/rfc/rfc9112#section-6.1
_CODINGS = re.compile(rb"(?im)^transfer-encoding:[ \t]*chunked[ \t]*\r?$")

#: Not by ``in``, which takes longer than all the rest here.
_folded = re.compile(rb"\n[ \t]").search


class StrictParser(HTTPRequestParser):
    """waitress's parser of requests, for heads that mean one thing."""

    large_bodies: LargeBodies | None = None

    def parse_header(self, header_plus: bytes) -> None:
        """Read a head.

        :raises waitress.parser.ParsingError: it could be read in several ways.
        """
        if _folded(header_plus):
            raise ParsingError("a header goes on in the next line")
        super().parse_header(header_plus)
        headers = self.headers
        if self.chunked:
            if "CONTENT_LENGTH" in headers:
                raise ParsingError("Content-Length beside Transfer-Encoding")
            if len(_CODINGS.findall(header_plus)) != 1:
                raise ParsingError("Transfer-Encoding is more than chunked")
        elif "TRANSFER_ENCODING" in headers:
            raise ParsingError("Transfer-Encoding in HTTP/1.0")
        # https://www.rfc-editor.org/rfc/rfc9112#section-3.2
        if "HOST" not in headers:
            if self.version != "1.0":
                raise ParsingError("no Host")
        elif "," in headers["HOST"]:
            raise ParsingError("more than one Host")
        large, asked = self.large_bodies, getattr(self, "path", "")
        if large is not None and large.paths.fullmatch(asked):
            # Twice, so that it is the application that says what is allowed.
            self.adj = copy(self.adj)
            self.adj.max_request_body_size = 2 * large.limit
