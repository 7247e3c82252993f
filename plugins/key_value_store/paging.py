"""Which page of a list is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from fyr.core import Invalid, Issue
from fyr.plugins.key_value_store.names import CODES, INT32

LIMIT, MOST = 100, 1000


@dataclass(frozen=True, slots=True)
class Page:
    """A page: keys that begin with ``prefix``, those after a key, so many."""

    prefix: str = ""
    #: key before the first; empty: from the first on
    after: str = ""
    offset: int = 0
    limit: int = LIMIT


def page_of(params: Iterable[tuple[str, str]]) -> Page:
    """Read what a query asks for.

    :raises fyr.core.Invalid: a parameter is none of a page's, comes twice or is wrong;
        with all that are.
    """
    params = list(params)
    if issues := list(_problems(params)):
        raise Invalid(issues)
    given = dict(params)
    return Page(
        given.get("prefix", ""),
        given.get("after", ""),
        int(given.get("offset", 0)),
        int(given.get("limit", LIMIT)),
    )


def _problems(params: list[tuple[str, str]]) -> Iterator[Issue]:
    seen: set[str] = set()
    for name, text in params:
        if name not in _CHECKS:
            problem = "prefix, after, offset and limit are known"
        elif name in seen:
            problem = "it comes twice"
        else:
            problem = _CHECKS[name](text)
        seen.add(name)
        if problem:
            yield CODES["KEY_VALUE_STORE_PARAMETER_NOT_VALID"].issue(name[:40], problem)


def _key(text: str) -> str:
    fits = not text or re.fullmatch(r"[A-Za-z0-9._~-]{1,255}", text, re.ASCII)
    return "" if fits else "it holds what no key holds"


def _number(least: int, most: int) -> Callable[[str], str]:
    def problem(text: str) -> str:
        digits = re.fullmatch(r"[0-9]{1,10}", text, re.ASCII)
        if digits and least <= int(text) <= most:
            return ""
        return f"it is a number from {least} to {most}"

    return problem


#: What is wrong with the text of each parameter; empty: nothing.
_CHECKS: dict[str, Callable[[str], str]] = {
    "prefix": _key,
    "after": _key,
    "offset": _number(0, INT32),
    "limit": _number(1, MOST),
}
