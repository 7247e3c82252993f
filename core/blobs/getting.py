"""One object of S3 in pieces, which goes on where its connection broke.

What is read already is not fetched again, and its hash goes on with it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

from urllib3.exceptions import ProtocolError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

#: Bytes that are read at a time: fewer take more turns of the threads that hash them.
PIECE = 1_048_576
#: How often one read goes on. A store that is away altogether ends it at once.
TRIES = 5


def pieces(
    response: BaseHTTPResponse, rest: Callable[[int], BaseHTTPResponse]
) -> Generator[bytes, None, None]:
    """Give what an answer has; its connection is given back at the end.

    :param rest: asks for what comes after so many bytes of it.
    :raises urllib3.exceptions.HTTPError: the connection broke too often, or nothing came
        for too long.
    """
    count = broken = 0
    while True:
        try:
            while piece := response.read(PIECE):
                yield piece
                count += len(piece)
            response.release_conn()
            return
        except ProtocolError:
            broken += 1
            if broken > TRIES:
                raise
        finally:
            # A connection that still has bytes of this object in it is of no use.
            response.close()
        response = rest(count)
