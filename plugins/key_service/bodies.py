"""What requests bring: JSON objects of few texts, all that is wrong told at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from fyr.core import Invalid, TooLarge
from fyr.plugins.key_service.attempts import CODES

if TYPE_CHECKING:
    from fyr.core import Issue, Request

_MOST_BYTES = 8192
_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
is_key_id = re.compile(_UUID, re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class Field:
    """A text in a body: how many characters it has, and what else it is."""

    least: int
    most: int
    pattern: str = ""
    #: whether it may be shown to people as it is
    printable: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """The same in JSON Schema."""
        size = {"minLength": self.least, "maxLength": self.most}
        if self.pattern:
            return {"type": "string", "pattern": f"^{self.pattern}$"}
        return {"type": "string", **size}

    def problem(self, value: object) -> str:
        """Tell what it is to be; empty when it is."""
        text = value if isinstance(value, str) else None
        if self.pattern:
            fits = text is not None and re.fullmatch(self.pattern, text, re.ASCII)
            return "" if fits else f"a text like {self.pattern}"
        if text is None or not self.least <= len(text) <= self.most:
            return f"a text of {self.least} to {self.most} characters"
        if self.printable and not text.isprintable():
            return "a text without control characters"
        return ""


Fields = Mapping[str, Field]
SECRET = Field(4, 128)
CREATE: Fields = {
    "clientName": Field(1, 100, printable=True),
    "deviceName": Field(0, 100, printable=True),
    "secret": SECRET,
}
KEY: Fields = {"keyId": Field(36, 36, _UUID), "secret": SECRET}
LONG_KEY: Fields = {
    "keyId": Field(36, 36, _UUID),
    "longSecret": Field(43, 43, "[A-Za-z0-9_-]{43}"),
}


def read(req: Request, fields: Fields) -> dict[str, str]:
    """Read the texts of a body.

    :raises fyr.core.FyrError: it is no JSON object of these texts, with all problems.
    """
    kind = (req.content_type or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise CODES["KEY_SERVICE_MEDIA_TYPE_NOT_VALID"].error()
    try:
        body = orjson.loads(req.content(_MOST_BYTES))
    except TooLarge:
        raise CODES["KEY_SERVICE_BODY_TOO_LARGE"].error(_MOST_BYTES) from None
    except orjson.JSONDecodeError:
        # What the parser says may hold a part of the secret.
        raise CODES["KEY_SERVICE_BODY_NOT_VALID"].error("it is no JSON") from None
    if not isinstance(body, dict):
        raise CODES["KEY_SERVICE_BODY_NOT_VALID"].error("it is something else")
    if issues := list(_problems(body, fields)):
        raise Invalid(issues)
    return {name: body[name] for name in fields}


def _problems(body: Mapping[str, object], fields: Fields) -> Iterator[Issue]:
    for name, field in fields.items():
        if problem := field.problem(body.get(name)):
            yield CODES["KEY_SERVICE_FIELD_NOT_VALID"].issue(
                name, problem, expression=[name]
            )
    if more := body.keys() - fields.keys():
        names = ", ".join(sorted(more))[:200]
        text = f"{names} is none of {', '.join(fields)}"
        yield CODES["KEY_SERVICE_BODY_NOT_VALID"].issue(text)
