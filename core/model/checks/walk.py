"""One validation on its way through a resource, and the shape of a check."""

from collections.abc import Callable
from typing import Any

from fyr.core.errors import Issue

Object = dict[str, Any]
#: Checks a member: its value, the object that holds it, that object's location.
Check = Callable[[Any, Object, str, "Walk"], None]
#: Checks an object that knows its own location.
ObjectCheck = Callable[[Object, str, "Walk"], None]

#: Whoever has more problems starts with these.
MAX_ISSUES = 500


class EnoughProblems(Exception):
    """There are so many problems that the walk ends here."""


class Walk:
    """What was found so far, and the resource whose contained ones can be met."""

    __slots__ = ("issues", "local_types", "root")

    def __init__(self, root: Object) -> None:
        """Start at a resource."""
        self.issues: list[Issue] = []
        #: the resource that ``#id`` leads into
        self.root = root
        #: types of its contained resources by id, once they were asked for
        self.local_types: dict[str, str] | None = None

    def add(self, code: str, text: str, path: str) -> None:
        """Tell of a problem.

        :raises EnoughProblems: this was the last one to be told.
        """
        self.issues.append(Issue(code, text, (path,)))
        if len(self.issues) >= MAX_ISSUES:
            raise EnoughProblems
