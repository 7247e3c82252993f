"""Where a page ended: opaque, signed, for one query and a stated time.

https://hl7.org/fhir/R4/http.html#paging. It holds the sort values of the last match, so
that the next page begins after them, whatever was written in between.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any

import orjson

from fyr.core.clock import Clock
from fyr.core.errors import Gone, Invalid

_SIGNATURE = 16


class Cursors:
    """Writes cursors and reads them back."""

    def __init__(self, key: bytes, clock: Clock, seconds: int) -> None:
        """Take the key that they are signed with, and how long they are valid."""
        self._key = key
        self._clock = clock
        self._seconds = seconds

    def write(self, query: str, values: Sequence[Any]) -> str:
        """Make a cursor.

        :param query: the search in one text: the cursor is good for no other.
        :param values: sort values of the last match.
        """
        until = int(self._clock().timestamp()) + self._seconds
        content = orjson.dumps([until, *values])
        signed = self._sign(query, content) + content
        return urlsafe_b64encode(signed).decode().rstrip("=")

    def read(self, query: str, cursor: str) -> list[Any]:
        """Give the values back.

        :raises Invalid: it is no cursor, was changed, or belongs to another search.
        :raises Gone: its time is over.
        """
        try:
            data = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except ValueError:
            data = b""
        signature, content = data[:_SIGNATURE], data[_SIGNATURE:]
        if not hmac.compare_digest(signature, self._sign(query, content)):
            raise Invalid(
                "the link to this page was changed, or belongs to another search"
            )
        until, *values = orjson.loads(content)
        if until < self._clock().timestamp():
            raise Gone("the link to this page is too old: search again")
        return list(values)

    def _sign(self, query: str, content: bytes) -> bytes:
        signed = query.encode("utf-8", "surrogatepass") + b"\0" + content
        return hmac.digest(self._key, signed, "sha256")[:_SIGNATURE]
