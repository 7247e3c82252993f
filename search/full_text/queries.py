"""What ``_text`` and ``_content`` ask for: https://hl7.org/fhir/R4/search.html#content.

::

    query  = branch { "OR" branch }
    branch = { [ "-" | "NOT" ] ( word | word* | "phrase" ) }      all of them

FHIR leaves the language to the server. Case, accents and punctuation do not count; a
word with punctuation in it, such as ``29463-7``, is a phrase.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fyr.core.errors import Invalid
from fyr.search.full_text.words import words

#: Words and phrases of one parameter.
MOST = 50

_PART = re.compile(r'(-?)"([^"]*)"(\*?)|(-?)([^\s"]+)')


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that follow one another, mostly one; the last may be only begun."""

    words: tuple[str, ...]
    begun: bool = False

    @property
    def single(self) -> bool:
        """Whether it is one word."""
        return len(self.words) == 1

    @property
    def within(self) -> str:
        """What a text of words has inside, with spaces around each, when it has this."""
        return f" {' '.join(self.words)}{'' if self.begun else ' '}"


@dataclass(frozen=True, slots=True)
class Branch:
    """What must be there, at least one phrase, and what must not."""

    all: tuple[Phrase, ...]
    none: tuple[Phrase, ...] = ()


def branches(name: str, values: Iterable[str]) -> tuple[Branch, ...]:
    """Understand the values of a parameter, of which one or the other is to be met.

    :raises Invalid: one of them asks for nothing that an index can find.
    """
    found = [branch for value in values for branch in _Reader(name, value).read()]
    if sum(len(one.all) + len(one.none) for one in found) > MOST:
        raise Invalid(f"{name} has more than {MOST} words")
    return tuple(found)


class _Reader:
    """Reads one value, part by part."""

    def __init__(self, name: str, value: str) -> None:
        self._name = name
        self._value = value
        self._all: list[Phrase] = []
        self._none: list[Phrase] = []
        self._negated = False

    def read(self) -> list[Branch]:
        if self._value.count('"') % 2:
            raise self._invalid("a quote is not closed (a comma in it is written \\,)")
        found: list[Branch] = []
        for match in _PART.finditer(self._value):
            word = match[5]
            if word == "OR":
                found.append(self._branch())
            elif word == "NOT":
                self._negated = True
            elif word != "AND":
                self._take(match)
        found.append(self._branch())
        return found

    def _take(self, match: re.Match[str]) -> None:
        text = match[5] if match[2] is None else match[2]
        found = words(text)
        if not found:
            return
        begun = bool(match[3]) or (match[2] is None and text[-1:] == "*")
        negated = self._negated or bool(match[1] or match[4])
        (self._none if negated else self._all).append(Phrase(tuple(found), begun))
        self._negated = False

    def _branch(self) -> Branch:
        if self._negated:
            raise self._invalid("nothing follows NOT")
        if not self._all:
            raise self._invalid("no word or phrase that must be there")
        found = Branch(tuple(self._all), tuple(self._none))
        self._all, self._none = [], []
        return found

    def _invalid(self, why: str) -> Invalid:
        return Invalid(f"{self._name}: {self._value[:100]!r}: {why}")
