"""What log lines must not tell, taken out of each of them: the last step before they go.

Nothing here makes it right to log such things; it is for what comes along, such as the
text of another program's exception. Names of people cannot be known by their looks, so
bodies and resources are not to be logged at all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pydantic import BaseModel, SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Stands for what was taken out.
HIDDEN = "***"
#: A shorter secret would be found in half of all words.
_SHORTEST = 6

_FORMS = (
    # Authorization, as it is sent
    (re.compile(r"(?i)\b(bearer|basic|dpop)\s+[\w.~+/=-]{4,}"), rf"\1 {HIDDEN}"),
    # a signed token: https://www.rfc-editor.org/rfc/rfc7519
    (re.compile(r"\beyJ[\w-]{6,}\.[\w-]+\.[\w-]*"), HIDDEN),
    # the password in a URL
    (re.compile(r"(://[^:/@\s\"']*):[^\s\"']*@"), rf"\1:{HIDDEN}@"),
    # the values of a query
    (re.compile(r"([?&][\w.:%\[\]-]+=)[^&\s\"'\\]+"), rf"\1{HIDDEN}"),
    # a Danish civil registration number (CPR): day, month, year and four digits;
    # the day of a substitute is 60 more
    (
        re.compile(r"(?<![0-9A-Za-z.])[0-36-9]\d[01]\d{3}[- ]?\d{4}(?![0-9A-Za-z])"),
        HIDDEN,
    ),
)
_PASSWORD = re.compile(r"://[^:/@\s]*:([^\s@]+)@")
_secrets: set[str] = set()


def remember_secrets(settings: BaseModel) -> None:
    """Take note of all secrets in some settings, to be hidden wherever they turn up."""
    _secrets.update(_secrets_in(settings))


def masked(text: str) -> str:
    """Give a text without tokens, passwords, query values and CPR numbers."""
    for secret in _secrets:
        if secret in text:
            text = text.replace(secret, HIDDEN)
    for form, instead in _FORMS:
        text = form.sub(instead, text)
    return text


def _secrets_in(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        if len(secret := value.get_secret_value()) >= _SHORTEST:
            yield secret
    elif isinstance(value, str):
        if (match := _PASSWORD.search(value)) and len(match[1]) >= _SHORTEST:
            yield from {match[1], unquote(match[1])}
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name))
    elif isinstance(value, dict):
        for one in value.values():
            yield from _secrets_in(one)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _secrets_in(one)
