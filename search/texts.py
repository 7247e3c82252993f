"""Texts as they are compared: https://hl7.org/fhir/R4/search.html#string.

Case and accents do not count, but the Danish å, æ and ø are letters of their own: no
search for ``Sorensen`` finds ``Sørensen``, and ``Müller`` is found by ``muller``. In
names ``å`` is also written ``aa``: ``Aagaard`` and ``Ågård`` find each other.
"""

import unicodedata
from functools import lru_cache
from hashlib import blake2b

from fyr.core.caching import cached_if_short

#: Characters of a text that take part in a comparison by beginning or content.
COMPARED = 256
#: Characters that a value keeps in an index; a longer one ends in its hash.
KEPT = 200
#: Characters that every value keeps as they are.
KEPT_BEGINNING = KEPT - 33
_LETTERS = {"å": "aa", "æ": "æ", "ø": "ø"}


def folded(text: str) -> str:
    """Give the form of a text in which case, accents and runs of spaces are gone."""
    if not text.isascii():
        composed = unicodedata.normalize("NFKC", text.casefold()).casefold()
        composed = unicodedata.normalize("NFKC", composed)
        text = "".join(map(_plain, composed)).casefold()
    return " ".join(text.lower().split())


#: The same for short texts, of which many come again.
fold = cached_if_short(16384)(folded)


@lru_cache(maxsize=4096)
def _plain(letter: str) -> str:
    if letter in _LETTERS or letter.isascii():
        return _LETTERS.get(letter, letter)
    return "".join(
        part
        for part in unicodedata.normalize("NFKD", letter)
        if not unicodedata.combining(part)
    )


def bounded(text: str) -> str:
    """Shorten a text that an index cannot hold, so that equal ones stay equal."""
    if len(text) <= KEPT:
        return text
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{text[:KEPT_BEGINNING]}#{digest}"


@cached_if_short(16384)
def indexed(text: str) -> tuple[str, str]:
    """Give the folded and the original form that the string index keeps."""
    return fold(text)[:COMPARED], bounded(text)
