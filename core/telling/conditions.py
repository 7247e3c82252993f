"""Conditions on a change, by the names that tables have for them.

A condition takes the resource before and after a change, either of which may be absent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from fyr.core.model.resource import Resource
from fyr.core.telling.paths import Path

Condition = Callable[[Resource | None, Resource | None], bool]


def changed(path: Path, _any: frozenset[str]) -> Condition:
    """Hold when a value is another one than before."""
    return lambda old, new: path(old) != path(new)


def has(path: Path, any_: frozenset[str]) -> Condition:
    """Hold when one of the values is there, whatever was before."""
    return lambda old, new: not any_.isdisjoint(path(new))


def becomes(path: Path, any_: frozenset[str]) -> Condition:
    """Hold when one of the values is there now that was not there before."""
    return lambda old, new: bool(any_.intersection(path(new)).difference(path(old)))


def begins(path: Path, any_: frozenset[str]) -> Condition:
    """Hold when a value begins with one of these."""
    starts = tuple(any_)
    return lambda old, new: any(value.startswith(starts) for value in path(new))


def gains(path: Path, _any: frozenset[str]) -> Condition:
    """Hold when there is a value, whichever, that was not there before."""
    return lambda old, new: not set(path(new)).issubset(path(old))


#: name in the table -> what makes the condition
CONDITIONS: Mapping[str, Callable[[Path, frozenset[str]], Condition]] = {
    one.__name__: one for one in (changed, has, becomes, begins, gains)
}


def condition(name: str, path: str, any_: Iterable[str] = ()) -> Condition:
    """Make a condition of what the table says.

    :raises ValueError: there is none of this name, or the path is none.
    """
    if name not in CONDITIONS:
        raise ValueError(f"{name!r} is none of {', '.join(CONDITIONS)}")
    return CONDITIONS[name](Path(path), frozenset(any_))
