"""Texts of errors as they are kept: whatever an exception says, a row takes it."""

import re

#: Databases refuse NUL, lists have a line for each, terminals obey the others.
_CONTROL = re.compile(r"[\x00-\x20\x7f-\xa0]+")


def one_line(text: str, characters: int) -> str:
    """Give the beginning of a text as one line that any database stores.

    :param characters: how many at most.
    """
    whole = text[:characters].encode("utf-8", "replace").decode("utf-8")
    return _CONTROL.sub(" ", whole).strip()
