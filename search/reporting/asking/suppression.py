"""Small groups are not told to those for whom data is anonymised.

A group of fewer patients than a number is left out. That alone would not do: who asks
for the same with a key less has the sums, and gets what is missing by subtraction. So
more is left out, until the rest along each key is of enough patients, and no small group
can be had by subtracting along single keys, however often. What this does not guard:
``docs/reporting.md``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from fyr.search.reporting.asking.individuals import leads_to_one
from fyr.search.reporting.asking.plan import PATIENTS, Group, KeyValue

#: Groups that differ along one key: the number of that key, and the others.
_Line = tuple[int, tuple[KeyValue, ...]]
#: After so many rounds nothing is told at all.
_MOST_ROUNDS = 100


def told(groups: Sequence[Group], least: int) -> list[Group]:
    """Give the groups that may be told.

    :param groups: all of them, with the number of their patients.
    :param least: patients that a group has at least.
    """
    table = _Table(groups, least)
    for _ in range(_MOST_ROUNDS):
        more = table.small_rests() or table.beside_revealed()
        if not more:
            return [one for at, one in enumerate(groups) if at not in table.hidden]
        table.hidden |= more
    return []


def patients(group: Group) -> int:
    """Tell how many patients a group has."""
    return int(group.values[PATIENTS] or 0)


def _size(group: Group) -> int:
    """Tell how many patients a group is about; none may learn of one named by a key."""
    return 0 if any(map(leads_to_one, group.key)) else patients(group)


class _Table:
    """Groups by their numbers, and the lines that they lie in."""

    def __init__(self, groups: Sequence[Group], least: int) -> None:
        self._sizes = [_size(one) for one in groups]
        self._least = least
        self._lines_of = [_lines(one) for one in groups]
        self._lines: dict[_Line, list[int]] = defaultdict(list)
        for at, lines in enumerate(self._lines_of):
            for line in lines:
                self._lines[line].append(at)
        self.hidden = {at for at, size in enumerate(self._sizes) if size < least}

    def small_rests(self) -> set[int]:
        """Choose what is hidden too where all that is hidden of a line is small."""
        found = set()
        for line in self._lines.values():
            hidden = [at for at in line if at in self.hidden]
            if hidden and max(self._sizes[at] for at in hidden) < self._least:
                found |= self._smallest_shown(line)
        return found

    def beside_revealed(self) -> set[int]:
        """Choose what is hidden too so that fewer lines give a small group away."""
        revealed, used = self._revealed()
        if all(self._sizes[at] >= self._least for at in revealed):
            return set()
        found = set()
        for line in used:
            found |= self._smallest_shown(self._lines[line])
        return found or self._smallest_shown(range(len(self._sizes)))

    def _revealed(self) -> tuple[set[int], list[_Line]]:
        """Tell what follows from the sums of lines, one after the other."""
        unknown = {
            line: {at for at in inside if at in self.hidden}
            for line, inside in self._lines.items()
            # The sum of few is not told either.
            if sum(self._sizes[at] for at in inside) >= self._least
        }
        waiting = [line for line, rest in unknown.items() if len(rest) == 1]
        revealed: set[int] = set()
        used = []
        while waiting:
            line = waiting.pop()
            if len(unknown[line]) != 1:
                continue
            used.append(line)
            (at,) = unknown[line]
            revealed.add(at)
            for other in self._lines_of[at]:
                if other in unknown:
                    unknown[other].discard(at)
                    if len(unknown[other]) == 1:
                        waiting.append(other)
        return revealed, used

    def _smallest_shown(self, line: Sequence[int]) -> set[int]:
        shown = [at for at in line if at not in self.hidden]
        return {min(shown, key=lambda at: (self._sizes[at], at))} if shown else set()


def _lines(group: Group) -> list[_Line]:
    key = group.key
    return [(at, (*key[:at], *key[at + 1 :])) for at in range(len(key))]
