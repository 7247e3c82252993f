"""What a Subscription asks for, read from the resource: https://hl7.org/fhir/R4/subscription.html

Topic-based ones as https://hl7.org/fhir/uv/subscriptions-backport/ has them: ``criteria``
is the URL of a topic, and the rest stands in extensions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fyr.core import Issue, Resource

_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/"
PROFILE = f"{_BACKPORT}backport-subscription"
FILTER = f"{_BACKPORT}backport-filter-criteria"
HEARTBEAT = f"{_BACKPORT}backport-heartbeat-period"
TIMEOUT = f"{_BACKPORT}backport-timeout"
MAX_COUNT = f"{_BACKPORT}backport-max-count"
CHANNEL_TYPE = f"{_BACKPORT}backport-channel-type"
CONTENT = f"{_BACKPORT}backport-payload-content"
CONTENTS = ("empty", "id-only", "full-resource")

#: Stands in the resource for the value of a header, which is kept elsewhere.
MASK = "***"
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
#: Criteria such as ``Observation?code=1``; a topic's URL has a scheme.
_CRITERIA = re.compile(r"(?P<type>[A-Za-z]+)(\?(?P<query>.*))?", re.DOTALL)
#: Seconds: the shortest heartbeat, the longest of anything.
_LEAST_HEARTBEAT, _LONGEST = 10, 24 * 3600
_MOST_COUNT = 100
_JSON = ("application/fhir+json", "application/json")


@dataclass(frozen=True, slots=True)
class Definition:
    """A Subscription as it was understood."""

    #: ``rest-hook``, ``websocket``, ``email``, ``message``, ``mqtt`` or something unknown
    channel: str
    endpoint: str = ""
    #: names and values; the value is :data:`MASK` where it is read from the resource
    headers: tuple[tuple[str, str], ...] = ()
    #: MIME type; empty: without a payload
    payload: str = ""
    #: ``empty``, ``id-only`` or ``full-resource``
    content: str = "empty"
    #: canonical URL of a topic; empty: ``criteria`` say all
    topic: str = ""
    #: type and query
    criteria: tuple[str, str] = ("", "")
    #: further criteria of a topic's subscription, each type and query
    filters: tuple[tuple[str, str], ...] = ()
    heartbeat: int = 0
    timeout: int = 0
    max_count: int = 1
    #: milliseconds since 1970; 0: none
    end: int = 0
    problems: tuple[Issue, ...] = field(default=(), compare=False)


def read(resource: Resource) -> Definition:
    """Read a Subscription whose structure is right; ``problems`` tells what is not."""
    channel = resource.get("channel", {})
    found = _Reader(resource, channel)
    kind = found.code(channel.get("_type"), CHANNEL_TYPE) or channel.get("type", "")
    topic, criteria = found.criteria()
    content = found.content(bool(topic))
    return Definition(
        channel=kind,
        endpoint=channel.get("endpoint", ""),
        headers=tuple(found.headers()),
        payload=channel.get("payload", ""),
        content=content,
        topic=topic,
        criteria=criteria,
        filters=tuple(found.filters()),
        heartbeat=found.number(HEARTBEAT, 0, _LEAST_HEARTBEAT, _LONGEST),
        timeout=found.number(TIMEOUT, 0, 1, _LONGEST),
        max_count=found.number(
            MAX_COUNT, 1 if not topic else _MOST_COUNT, 1, _MOST_COUNT
        ),
        end=_millis(resource.get("end")),
        problems=tuple(found.problems),
    )


class _Reader:
    """Reads the parts, and gathers what is wrong with them."""

    def __init__(self, resource: Resource, channel: Resource) -> None:
        self._resource = resource
        self._channel = channel
        self.problems: list[Issue] = []

    def criteria(self) -> tuple[str, tuple[str, str]]:
        """Tell the topic, or type and query."""
        text = self._resource.get("criteria", "")
        if re.match(r"[a-z][a-z0-9+.-]*:", text, re.ASCII):
            return text, ("", "")
        return "", self._query(text, "Subscription.criteria")

    def filters(self) -> Iterator[tuple[str, str]]:
        """Tell the further criteria of a topic's subscription."""
        for value in _values(self._resource.get("_criteria"), FILTER):
            yield self._query(str(value), "Subscription.criteria.extension")

    def _query(self, text: str, path: str) -> tuple[str, str]:
        match = _CRITERIA.fullmatch(text)
        if match is None:
            self._add("value", f"{text[:80]!r} is not [type]?[parameters]", path)
            return "", ""
        return match["type"], match["query"] or ""

    def content(self, by_topic: bool) -> str:
        """Tell what of the resources is sent."""
        payload = self._channel.get("payload", "")
        path = "Subscription.channel.payload"
        if payload and payload.partition(";")[0].strip() not in _JSON:
            self._add(
                "not-supported", f"payloads are {_JSON[0]}: {payload[:60]!r}", path
            )
        told = self.code(self._channel.get("_payload"), CONTENT)
        if told and told not in CONTENTS:
            self._add("value", f"the content is one of {', '.join(CONTENTS)}", path)
        if not by_topic:
            return "full-resource" if payload else "empty"
        return told or "empty"

    def headers(self) -> Iterator[tuple[str, str]]:
        """Tell names and values of the headers to be sent."""
        for index, text in enumerate(self._channel.get("header", ())):
            path = f"Subscription.channel.header[{index}]"
            name, colon, value = str(text).partition(":")
            if not colon or not _HEADER.fullmatch(name.strip()):
                self._add("value", "a header is [name]: [value]", path)
            elif not value.strip().isprintable() or not value.isascii():
                self._add("value", "a header's value is printable ASCII", path)
            else:
                yield name.strip(), value.strip()

    def number(self, url: str, default: int, least: int, most: int) -> int:
        """Tell the number that an extension of the channel holds."""
        for value in _values(self._channel, url):
            if not isinstance(value, bool) and isinstance(value, int):
                if least <= value <= most:
                    return value
            name = url.rpartition("backport-")[2]
            told = f"{name} is a number from {least} to {most}"
            self._add("value", told, "Subscription.channel.extension")
        return default

    def code(self, element: Any, url: str) -> str:
        """Tell the code that an extension of an element holds."""
        for value in _values(element, url):
            return str(value.get("code", "") if isinstance(value, dict) else value)
        return ""

    def _add(self, code: str, text: str, path: str) -> None:
        self.problems.append(Issue(code, text, (path,)))


def _values(element: Any, url: str) -> Iterable[Any]:
    """Go through the values of an element's extensions of one URL."""
    extensions = element.get("extension", ()) if isinstance(element, dict) else ()
    for one in extensions:
        if one.get("url") == url:
            yield from (value for key, value in one.items() if key.startswith("value"))


def _millis(text: str | None) -> int:
    if not text:
        return 0
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return int(moment.astimezone(UTC).timestamp() * 1000)
