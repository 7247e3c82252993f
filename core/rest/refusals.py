"""What waitress refuses before Falcon sees it, as OperationOutcomes too.

Broken request lines, headers that are too large, bodies far beyond the limit: used by
the HTTP workers as the channel class of their server.
"""

from __future__ import annotations

from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import ErrorTask

from fyr.core.errors import Issue
from fyr.core.rest.negotiation import JSON
from fyr.core.rest.outcomes import outcome_bytes

#: What waitress calls it -> status line, issue code, sentence.
_REFUSALS = {
    400: ("400 Bad Request", "invalid", "this is not an HTTP request"),
    413: ("413 Content Too Large", "too-long", "the body is larger than allowed"),
    431: (
        "431 Request Header Fields Too Large",
        "too-long",
        "the headers are larger than allowed",
    ),
    # It is the client that asked for a transfer coding nobody here offered.
    501: (
        "400 Bad Request",
        "not-supported",
        "Transfer-Encoding: only chunked is read",
    ),
}
_FAILED = ("500 Internal Server Error", "exception", "the server failed")


class RefusalTask(ErrorTask):
    """Answers a request that could not be read."""

    def execute(self) -> None:
        """Write an OperationOutcome and close the connection."""
        refusal: Any = self.request
        status, code, text = _REFUSALS.get(refusal.error.code, _FAILED)
        body = outcome_bytes([Issue(code, text)])
        self.status = status
        self.response_headers = [
            ("Content-Type", JSON),
            ("X-Content-Type-Options", "nosniff"),
        ]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class RefusingChannel(HTTPChannel):
    """A connection whose refusals are OperationOutcomes."""

    error_task_class: Any = RefusalTask
