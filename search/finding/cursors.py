"""Where a page ended: opaque, for one query and a stated time.

https://hl7.org/fhir/R4/http.html#paging. It holds the sort values of the last match, so
that the next page begins after them, whatever was written in between. They may be names,
and so nobody but this server can read them (AES-GCM, with a key of its own for each).
"""

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hmac import digest
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fyr.core.clock import Clock
from fyr.core.context import RequestContext
from fyr.core.errors import Gone, Invalid
from fyr.core.searching import CURSOR
from fyr.search.tree import Query

_SALT = 16
#: A key is used once.
_NONCE = bytes(12)


class Cursors:
    """Writes cursors and reads them back."""

    def __init__(self, key: bytes, clock: Clock, seconds: int) -> None:
        """Take the key that they are sealed with, and how long they are valid."""
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
        salt = os.urandom(_SALT)
        sealed = self._cipher(salt).encrypt(_NONCE, content, _bytes(query))
        return urlsafe_b64encode(salt + sealed).decode().rstrip("=")

    def read(self, query: str, cursor: str) -> list[Any]:
        """Give the values back.

        :raises Invalid: it is no cursor, was changed, or belongs to another search.
        :raises Gone: its time is over.
        """
        try:
            data = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
            cipher = self._cipher(data[:_SALT])
            content = cipher.decrypt(_NONCE, data[_SALT:], _bytes(query))
        except (ValueError, InvalidTag):
            raise Invalid(
                "the link to this page was changed, or belongs to another search"
            ) from None
        until, *values = orjson.loads(content)
        if until < self._clock().timestamp():
            raise Gone("the link to this page is too old: search again")
        return list(values)

    def _cipher(self, salt: bytes) -> AESGCM:
        return AESGCM(digest(self._key, salt, "sha256"))


def identity_of(
    context: RequestContext, resource_type: str | None, query: Query
) -> str:
    """Write what a cursor is good for: the search, whatever the size of its pages."""
    pairs = [pair for pair in query.used if pair[0] not in (CURSOR, "_count")]
    # Links have them in another order than a form.
    pairs.sort(key=itemgetter(0))
    place = "/".join([*(context.compartment or ()), resource_type or ""])
    return f"{place}?{urlencode(pairs)}"


def _bytes(query: str) -> bytes:
    return query.encode("utf-8", "surrogatepass")
