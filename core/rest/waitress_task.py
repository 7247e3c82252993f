"""How an answer is written to its connection, in fewer steps than waitress takes.

https://www.rfc-editor.org/rfc/rfc9112#name-message-format
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from waitress.task import WSGITask

from fyr.core.rest.http_dates import http_date

#: Up to this length a body is copied behind its head, to be sent with it.
_TOGETHER = 65_536


class KeepingTask(WSGITask):
    """Answers a request, and keeps the connection after an answer without a body.

    waitress would close it after each 204 and 304, though both end with their headers
    (https://www.rfc-editor.org/rfc/rfc9112#section-6.3).
    """

    def write(self, data: bytes) -> None:
        """Write a part of the body, the first one together with the head.

        Sent alone, the head wakes a client that can do nothing yet; it is a fifth of
        what a read costs.
        """
        whole = self.content_length == len(data) and self.has_body
        if self.wrote_header or not data or len(data) > _TOGETHER or not whole:
            super().write(data)
            return
        head = self.build_response_header()
        self.wrote_header = True
        self.content_bytes_written = len(data)
        channel: Any = self.channel
        channel.write_soon(head + data)

    def build_response_header(self) -> bytes:
        """Write the status line and the headers."""
        request: Any = self.request
        asked = request.headers.get("CONNECTION", "").lower()
        ends = self.content_length is not None or not self.has_body
        if self.version == "1.1" and asked != "close" and ends:
            return self._kept()
        header: bytes = super().build_response_header()
        return header

    def _kept(self) -> bytes:
        """Write the head of an answer after which the connection is kept.

        The usual one: without the cases of all others in a third of the time.
        """
        lines = [f"HTTP/1.1 {self.status}"]
        dated = False
        for name, value in self.response_headers:
            title = _title(name)
            if title != "Content-Length":
                lines.append(f"{title}: {value}")
                dated = dated or title == "Date"
        if self.has_body:
            lines.append(f"Content-Length: {self.content_length}")
        if not dated:
            lines.append(f"Date: {http_date(int(self.start_time))}")
        return "\r\n".join((*lines, "", "")).encode("latin-1")


@lru_cache(maxsize=256)
def _title(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
