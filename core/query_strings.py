"""A URL's query and a form's body, as names and values in the order they were sent.

https://hl7.org/fhir/R4/http.html#search; percent-encoded UTF-8 and nothing else.
"""

import re
from urllib.parse import parse_qsl

from fyr.core.errors import Invalid

Pairs = tuple[tuple[str, str], ...]

#: More are no request of a person or a program that knows what it asks.
_MOST_FIELDS = 2000
_BROKEN_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def pairs(text: str) -> Pairs:
    """Take a query string apart.

    :param text: as WSGI hands it on, bytes told as Latin-1.
    :raises Invalid: it is not percent-encoded UTF-8, or has too many parameters.
    """
    if not text:
        return ()
    if "%" in text and (broken := _BROKEN_PERCENT.search(text)):
        place = text[broken.start() : broken.start() + 3]
        raise Invalid(f"the query has a percent sign without two digits: {place!r}")
    if "%00" in text:
        raise Invalid("the query holds the character NUL, which no value has")
    try:
        if not text.isascii():
            text = text.encode("latin-1").decode("utf-8")
        return tuple(
            parse_qsl(
                text,
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MOST_FIELDS,
            )
        )
    except UnicodeError as error:
        raise Invalid("the query is not UTF-8") from error
    except ValueError as error:
        raise Invalid(f"the query has more than {_MOST_FIELDS} parameters") from error
