"""What a client wants and sends: formats, view and preferences, from headers and query.

https://hl7.org/fhir/R4/http.html#mime-type, #summary, #parameters; quality values by
https://www.rfc-editor.org/rfc/rfc9110#name-accept. Answers are cached by header text:
clients send the same few.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from fyr.core.errors import Invalid, NotAcceptable, UnsupportedMediaType

Format = Literal["json", "xml"]
Params = Iterable[tuple[str, str]]

JSON = "application/fhir+json; charset=utf-8"
XML = "application/fhir+xml; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
_CONTENT_TYPES: dict[Format, str] = {"json": JSON, "xml": XML}

#: https://hl7.org/fhir/R4/http.html#mime-type, and what browsers and old clients say
FORMATS: dict[str, Format] = {
    "application/fhir+json": "json",
    "application/json": "json",
    "text/json": "json",
    "application/json+fhir": "json",
    "application/fhir+xml": "xml",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/xml+fhir": "xml",
}
#: ``_format`` takes short names too
_SHORT: dict[str, Format] = {"json": "json", "xml": "xml", **FORMATS}
_WILD = {"*/*", "application/*"}
_VERSIONS = {"4.0", "4.0.0", "4.0.1"}
_SUMMARIES = {"true", "text", "data", "count", "false"}
_BOOLEANS = {"true": True, "false": False}
#: Headers that a cache keeps; each may be as large as ``server.max_header_bytes``.
_KEPT = 128
#: Query parameters that say how an answer looks, and nothing about what is in it.
VIEW_PARAMETERS = frozenset({"_format", "_pretty", "_summary", "_elements"})


@dataclass(frozen=True, slots=True)
class View:
    """How an answer is to look."""

    format: Format = "json"
    content_type: str = JSON
    pretty: bool = False
    summary: str | None = None
    elements: tuple[str, ...] | None = None

    @property
    def shaped(self) -> bool:
        """Whether parts of the resource are left out."""
        return self.elements is not None or self.summary not in (None, "false")


#: JSON as it is stored.
PLAIN = View()
_PLAIN_XML = View("xml", XML)


@dataclass(frozen=True, slots=True)
class Preferences:
    """``Prefer``: https://hl7.org/fhir/R4/http.html#ops."""

    #: empty: the client leaves it to the server
    returns: Literal["", "minimal", "representation", "OperationOutcome"] = ""
    handling: Literal["strict", "lenient"] = "strict"
    respond_async: bool = False


DEFAULT_PREFERENCES = Preferences()
_RETURNS = {
    "minimal": "minimal",
    "representation": "representation",
    "operationoutcome": "OperationOutcome",
}


def view(accept: str | None, params: tuple[tuple[str, str], ...]) -> View:
    """Tell how an answer is to look.

    :raises NotAcceptable: no format that the client takes can be made.
    :raises Invalid: a view parameter has a value that it cannot have.
    """
    if not params:
        return PLAIN if accept is None else accepted(accept)
    chosen = {name: value for name, value in params if name in VIEW_PARAMETERS}
    if not chosen:
        return PLAIN if accept is None else accepted(accept)
    asked = chosen.get("_format")
    made = _of_format(asked) if asked else accepted(accept or "*/*")
    if len(chosen) == 1 and asked:
        return made
    elements = [value for name, value in params if name == "_elements"]
    return replace(
        made,
        pretty=_boolean("_pretty", chosen.get("_pretty", "false")),
        summary=_summary(chosen.get("_summary")),
        elements=_names(elements) if elements else None,
    )


def wants_text(accept: str | None, params: Params) -> bool:
    """Whether plain text is asked for first, where there is some for people."""
    asked = [value for name, value in params if name == "_format"]
    first = (asked[0] if asked else accept or "").partition(",")[0]
    return _parsed(first)[0] in ("text", "text/plain")


@lru_cache(maxsize=_KEPT)
def accepted(accept: str) -> View:
    """Choose the format that an ``Accept`` header likes best, JSON among equals.

    :raises NotAcceptable: it likes none that can be made.
    """
    best: tuple[float, View] | None = None
    # An empty header tells no more than one that is not there.
    for part in (accept.strip() or "*/*").split(","):
        name, parameters = _parsed(part)
        quality = _quality(parameters.get("q"))
        found = _of_type(name, parameters)
        if found and quality > 0 and (best is None or _better(quality, found, best)):
            best = (quality, found)
    if best is None:
        raise NotAcceptable(
            f"none of the accepted formats can be made: {accept[:200]}; this server"
            " makes application/fhir+json and application/fhir+xml, version 4.0"
        )
    return best[1]


@lru_cache(maxsize=_KEPT)
def body_format(content_type: str) -> Format:
    """Tell how a resource in a request's body is written.

    :raises UnsupportedMediaType: in a way that is not read here.
    """
    name, parameters = media_type(content_type)
    if name not in FORMATS:
        raise UnsupportedMediaType(
            f"a resource cannot be read from {content_type[:200]!r}: send"
            " application/fhir+json or application/fhir+xml"
        )
    version = parameters.get("fhirversion", "4.0")
    if version not in _VERSIONS:
        raise UnsupportedMediaType(f"this is a FHIR 4.0 server, not {version[:20]}")
    return FORMATS[name]


def is_fhir(content_type: str) -> bool:
    """Whether a body of this type is a resource by its name."""
    return _parsed(content_type)[0] in FORMATS


@lru_cache(maxsize=_KEPT)
def prefers_native(accept: str, content_type: str) -> bool:
    """Whether an ``Accept`` header likes a type better than FHIR, or names it first.

    :param content_type: what a Binary holds. A range that FHIR's types are in, such as
        ``*/*``, stands for FHIR.
    """
    own, _ = _parsed(content_type)
    names = {own, f"{own.partition('/')[0]}/*"}
    best, native = 0.0, False
    for part in accept.split(","):
        name, parameters = _parsed(part)
        quality = _quality(parameters.get("q"))
        fhir = _of_type(name, parameters) is not None
        if quality > best and (fhir or name in names):
            best, native = quality, not fhir
    return native


@lru_cache(maxsize=_KEPT)
def media_type(content_type: str) -> tuple[str, dict[str, str]]:
    """Take a ``Content-Type`` apart: name in lower case, parameters.

    :raises UnsupportedMediaType: the text is not in UTF-8.
    """
    name, parameters = _parsed(content_type)
    charset = parameters.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(f"FHIR is written in UTF-8, not {charset[:40]}")
    return name, parameters


def preferred(env: dict[str, Any]) -> Preferences:
    """Tell what the client of a request prefers."""
    prefer = env.get("HTTP_PREFER")
    return DEFAULT_PREFERENCES if prefer is None else preferences(prefer)


@lru_cache(maxsize=_KEPT)
def preferences(prefer: str) -> Preferences:
    """Read a ``Prefer`` header; what is not known is left out, as RFC 7240 asks."""
    found: dict[str, str] = {}
    for part in prefer.replace(";", ",").split(","):
        name, _, value = part.partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"').lower())
    returns = _RETURNS.get(found.get("return", ""), "")
    handling = "lenient" if found.get("handling") == "lenient" else "strict"
    asynchronous = "respond-async" in found
    return Preferences(returns, handling, asynchronous)  # type: ignore[arg-type]


def _of_format(asked: str) -> View:
    # A "+" that was not escaped has become a space.
    name, parameters = _parsed(asked.replace("fhir ", "fhir+"))
    if name in _SHORT and parameters.get("fhirversion", "4.0") in _VERSIONS:
        return PLAIN if _SHORT[name] == "json" else _PLAIN_XML
    raise NotAcceptable(f"_format={asked[:100]} cannot be made: json and xml can")


def _of_type(name: str, parameters: dict[str, str]) -> View | None:
    version = parameters.get("fhirversion")
    if version is not None and version not in _VERSIONS:
        return None
    form = FORMATS.get(name)
    if form is None:
        if name == "text/*":
            return _PLAIN_XML
        return PLAIN if name in _WILD else None
    plain = PLAIN if form == "json" else _PLAIN_XML
    if version is None:
        return plain
    return replace(plain, content_type=f"{_CONTENT_TYPES[form]}; fhirVersion=4.0")


def _better(quality: float, found: View, best: tuple[float, View]) -> bool:
    if quality != best[0]:
        return quality > best[0]
    return found.format == "json" and best[1].format == "xml"


def _parsed(text: str) -> tuple[str, dict[str, str]]:
    name, *rest = text.split(";")
    pairs = (part.partition("=") for part in rest)
    parameters = {
        key.strip().lower(): value.strip().strip('"') for key, _, value in pairs
    }
    return name.strip().lower(), parameters


def _quality(text: str | None) -> float:
    if text is None:
        return 1.0
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _boolean(name: str, value: str) -> bool:
    if value not in _BOOLEANS:
        raise Invalid(f"{name} is true or false, not {value[:40]!r}")
    return _BOOLEANS[value]


def _summary(value: str | None) -> str | None:
    if value is not None and value not in _SUMMARIES:
        raise Invalid(f"_summary is one of {', '.join(sorted(_SUMMARIES))}")
    return value


def _names(values: list[str]) -> tuple[str, ...]:
    names = [name.strip() for value in values for name in value.split(",")]
    return tuple(name for name in names if name)
