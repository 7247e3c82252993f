"""Parts of a server that will go, and the headers by which answers say so.

``Deprecation`` by https://www.rfc-editor.org/rfc/rfc9745, ``Sunset`` by
https://www.rfc-editor.org/rfc/rfc8594.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time


@dataclass(frozen=True, slots=True)
class Deprecation:
    """From when on something should not be used, and when it will be gone.

    ``link`` is the URL of what says more, to use instead for instance.
    """

    since: date
    sunset: date | None = None
    link: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What an answer says of it, names in lower case."""
        told = {"deprecation": f"@{_seconds(self.since)}"}
        if self.sunset is not None:
            at = datetime.combine(self.sunset, time(), UTC)
            told["sunset"] = _http(at)
        if self.link:
            told["link"] = f'<{self.link}>; rel="deprecation"'
        return told


class Deprecations:
    """Deprecated parts by the path that they begin with."""

    def __init__(self) -> None:
        """Begin without any."""
        self._parts: dict[str, Mapping[str, str]] = {}

    def add(self, path: str, deprecation: Deprecation) -> None:
        """Take a part: a path, with all below it."""
        self._parts[path.rstrip("/")] = deprecation.headers

    def __len__(self) -> int:
        """Tell how many parts there are."""
        return len(self._parts)

    def headers(self, path: str) -> Mapping[str, str]:
        """Tell what an answer at a path says; nothing where all stays."""
        while path:
            found = self._parts.get(path)
            if found is not None:
                return found
            path = path.rpartition("/")[0]
        return {}


def _seconds(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _http(moment: datetime) -> str:
    from fyr.core.rest.http_dates import http_date

    return http_date(int(moment.timestamp()))
