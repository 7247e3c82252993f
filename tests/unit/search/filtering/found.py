"""What a text of search parameters finds."""

from typing import Any
from urllib.parse import urlencode

Resource = dict[str, Any]


def found(library: Any, kind: str | None, text: str, **more: Any) -> list[str]:
    return sorted(library.ids(kind, urlencode({"_filter": text}), **more))
