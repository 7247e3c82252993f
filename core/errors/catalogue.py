"""The error catalogue: published names of refusals, each with its status and its text.

An area keeps its rows as data, in an ``errors.toml`` in its folder, and gives them by the
hook ``register_error_codes``. Code that refuses takes a row by its name and fills it::

    CODES = read_error_codes(__package__)
    raise CODES["SECURITY_USER_NOT_ALLOWED"].error(reference)

Names stand whole where they are raised: tests look there for what is raised at all and
for the number of values. What nothing raises says why, in the same file. Issues carry the
code ``processing``, whatever the status.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from fyr.config.load import ConfigError
from fyr.core.errors import (
    Conflict,
    Forbidden,
    FyrError,
    Gone,
    Invalid,
    Issue,
    NotAcceptable,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Refused,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    UnsupportedMediaType,
)

#: The file of an area's rows.
FILE = "errors.toml"
#: The table of reasons in it: why nothing raises some codes.
NOT_RAISED = "not_raised"
#: The code of rules that have none of their own.
BROKEN_RULE = "GENERAL_VALIDATION_ERROR"
#: What takes the place of a value.
_VALUE = "%s"
#: HTTP status of a row -> what is raised
_KINDS: Mapping[int, type[FyrError]] = {
    one.status: one
    for one in (
        Invalid,
        Unauthenticated,
        Forbidden,
        NotFound,
        NotAcceptable,
        Conflict,
        Gone,
        PreconditionFailed,
        TooLarge,
        UnsupportedMediaType,
        Refused,
        PreconditionRequired,
        TooManyRequests,
    )
}


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A row of the catalogue.

    ``text`` has a ``%s`` for each value; ``area`` is the name of the folder that keeps it.
    ``not_raised`` is a phrase that says why nothing raises it; empty: something does.
    """

    name: str
    status: int
    text: str
    area: str
    not_raised: str = ""

    def __post_init__(self) -> None:
        """Refuse a row that no error can be made of.

        :raises ValueError: it has another status than errors have, or other marks.
        """
        if self.status not in _KINDS:
            allowed = ", ".join(map(str, sorted(_KINDS)))
            raise ValueError(f"{self.name}: {self.status} is none of {allowed}")
        if self.text.count("%") != self.values:
            raise ValueError(f"{self.name}: a % that is no %s: {self.text}")

    @property
    def values(self) -> int:
        """How many values its text takes."""
        return self.text.count(_VALUE)

    def error(
        self,
        *values: object,
        expression: Iterable[str] = (),
        headers: dict[str, str] | None = None,
    ) -> FyrError:
        """Make what is to be raised.

        :param expression: FHIRPath of the elements that it is about.
        :raises TypeError: the text takes another number of values.
        """
        issue = self.issue(*values, expression=expression)
        return _KINDS[self.status]([issue], headers=headers)

    def issue(self, *values: object, expression: Iterable[str] = ()) -> Issue:
        """Make an issue, for who tells several at once.

        :raises TypeError: the text takes another number of values.
        """
        if len(values) != self.values:
            raise TypeError(
                f"{self.name} takes {self.values} values and was given {len(values)}"
            )
        return Issue(
            "processing", self.text % values, tuple(expression), error_code=self.name
        )


class ErrorCodes(Mapping[str, ErrorCode]):
    """All rows of a deployment, by name, in the order in which areas gave them."""

    def __init__(self, codes: Iterable[ErrorCode]) -> None:
        """Join them.

        :raises ConfigError: two have one name; all clashes at once.
        """
        self._codes: dict[str, ErrorCode] = {}
        problems = []
        for code in codes:
            first = self._codes.setdefault(code.name, code)
            if first is not code:
                areas = f"{first.area} and {code.area}"
                problems.append(f"error codes: {code.name} is in {areas}")
        if problems:
            raise ConfigError(problems)

    def __getitem__(self, name: str) -> ErrorCode:
        """Give a row by its name."""
        return self._codes[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names."""
        return iter(self._codes)

    def __len__(self) -> int:
        """Tell how many there are."""
        return len(self._codes)


@lru_cache
def read_error_codes(package: str) -> ErrorCodes:
    """Read the rows of an area: the ``errors.toml`` in its folder.

    A table for each status, a line for each code: ``NAME = "text with %s"``. Codes that are
    kept though nothing raises them stand once more in the table ``not_raised``, under the
    reason: ``"why" = ["NAME", "OTHER_NAME"]``.

    :param package: import path of the folder; its last part is the area's name.
    :raises ValueError: the file cannot be read as such rows.
    """
    content = tomllib.loads(files(package).joinpath(FILE).read_text(encoding="utf-8"))
    return ErrorCodes(_rows(package.rpartition(".")[2], content))


def general_error_codes() -> ErrorCodes:
    """Give the rows that are of no area: those of the core."""
    return read_error_codes("fyr.core")


def broken_rule(text: str, *expression: str) -> Issue:
    """Tell of a rule that the catalogue has no code of its own for.

    :param text: which rule it is, in words that follow a colon.
    :param expression: FHIRPath of the elements that it is about.
    """
    return general_error_codes()[BROKEN_RULE].issue(text, expression=expression)


def _rows(area: str, content: Mapping[str, Any]) -> Iterator[ErrorCode]:
    tables = dict(content)
    reasons = _reasons(tables.pop(NOT_RAISED, {}))
    for status, texts in tables.items():
        if not status.isdigit() or not isinstance(texts, dict):
            raise ValueError(f"{area}: tables are named after a status: {status}")
        for name, text in texts.items():
            yield ErrorCode(name, int(status), str(text), area, reasons.pop(name, ""))
    if reasons:
        raise ValueError(f"{area}: no such codes to give a reason: {sorted(reasons)}")


def _reasons(told: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Tell by code why nothing raises it."""
    return {name: why for why, names in told.items() for name in names}
