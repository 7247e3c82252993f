"""Ids that the server gives: ULIDs, which sort by the time they were made.

https://github.com/ulid/spec, within https://hl7.org/fhir/R4/datatypes.html#id
"""

import os

_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]


def new_id(millis: int) -> str:
    """Make an id of 26 characters that nobody else has.

    :param millis: the present, in milliseconds since 1970.
    """
    number = millis << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])
