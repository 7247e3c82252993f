"""The source in a Library: found by its content type, decoded, read and checked."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from fyr.core import FyrError, Resource, RuleLimits
from fyr.core.model.json import Limits, decode
from fyr.plugins.rules.language import CONTENT_TYPE, Rules

_NESTING = Limits(max_depth=16)
_TOLD = 10
#: Names that the engine gives a meaning to.
RESERVED = frozenset(
    "resource rootResource context ucum sct loinc value measurements serviceRequest"
    " goals questionnaires history".split()
)


class FaultySource(Exception):
    """The source is not of the language; the text says all that is wrong."""


def sources_of(library: Resource) -> Sequence[tuple[int, dict[str, Any]]]:
    """Tell the attachments in this engine's language, with their places."""
    contents = library.get("content")
    return [
        (place, content)
        for place, content in enumerate(contents if isinstance(contents, list) else ())
        if isinstance(content, dict) and content.get("contentType") == CONTENT_TYPE
    ]


def read(library: Resource, limits: RuleLimits) -> Rules:
    """Read the source of a library.

    :raises FaultySource: there are several, or it is not of the language.
    """
    found = sources_of(library)
    if len(found) != 1:
        raise FaultySource("a library has one content in this language")
    data = found[0][1].get("data")
    if not isinstance(data, str):
        raise FaultySource("the content has no data")
    if len(data) > limits.source * 4 // 3 + 4:
        raise FaultySource(f"the source is longer than {limits.source} characters")
    return _read(data)


@lru_cache(maxsize=128)
def _read(data: str) -> Rules:
    """Read a source, once for all that it is run on; what it gives is never altered."""
    try:
        plain = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise FaultySource("the data is not base64") from None
    try:
        rules = Rules.model_validate(decode(plain, _NESTING))
    except FyrError as error:
        raise FaultySource(str(error)) from None
    except ValidationError as error:
        raise FaultySource(_sentences(error)) from None
    _refuse_reserved(rules)
    return rules


def _refuse_reserved(rules: Rules) -> None:
    taken = sorted(RESERVED & rules.define.keys())
    if taken:
        raise FaultySource(f"define: {', '.join(taken)}: the engine's own names")
    names = [rule.name for rule in rules.rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FaultySource(f"rules: two have the name {', '.join(twice)}")


def _sentences(error: ValidationError) -> str:
    told = [
        f"{'.'.join(map(str, one['loc'])) or 'the source'}: {one['msg']}"
        for one in error.errors(include_url=False, include_input=False)
    ]
    more = [f"and {len(told) - _TOLD} more"] if len(told) > _TOLD else []
    return "; ".join([*told[:_TOLD], *more])
