"""The nearest right name, for messages about a wrong one."""

import difflib
from collections.abc import Iterable


def neighbour(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Give ``"; did you mean x?"``, or nothing when no name is near.

    :param prefix: stands before the name that is found, such as ``$``.
    """
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {prefix}{close[0]}?" if close else ""
