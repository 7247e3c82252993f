"""Conditions of context events, by the names that the table has for them.

A condition takes the resource before and after a change, either of which may be absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from fyr.core import Resource
from fyr.plugins.event_messages.paths import Path

Condition = Callable[[Resource | None, Resource | None], bool]


def changed(path: Path, _any: frozenset[str]) -> Condition:
    """Hold when a value is another one than before."""
    return lambda old, new: path(old) != path(new)


def has(path: Path, any_: frozenset[str]) -> Condition:
    """Hold when one of the values is there, whatever was before."""
    return lambda old, new: not any_.isdisjoint(path(new))


def becomes(path: Path, any_: frozenset[str]) -> Condition:
    """Hold when one of the values is there now and none was before."""
    return lambda old, new: (
        not any_.isdisjoint(path(new)) and any_.isdisjoint(path(old))
    )


def begins(path: Path, any_: frozenset[str]) -> Condition:
    """Hold when a value begins with one of these."""
    starts = tuple(any_)
    return lambda old, new: any(value.startswith(starts) for value in path(new))


#: name in the table -> what makes the condition
CONDITIONS: Mapping[str, Callable[[Path, frozenset[str]], Condition]] = {
    one.__name__: one for one in (changed, has, becomes, begins)
}


def condition(name: str, path: str, any_: Iterable[str] = ()) -> Condition:
    """Make a condition of what the table says.

    :raises ValueError: there is none of this name, or the path is none.
    """
    if name not in CONDITIONS:
        raise ValueError(f"{name!r} is none of {', '.join(CONDITIONS)}")
    return CONDITIONS[name](Path(path), frozenset(any_))
