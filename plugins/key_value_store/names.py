"""Names in paths: keys, clients, users; what is no name is refused before it is looked up."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from fyr.core import Principal, read_error_codes

CODES = read_error_codes("fyr.plugins.key_value_store")

#: The largest number of a value.
INT32 = 2_147_483_647
#: The user who asks, in a path.
ME = "me"
_KEY = re.compile(r"[A-Za-z0-9._~-]{1,255}", re.ASCII)
_CLIENT = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)
_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)
_CODED = re.compile(r"~[A-Za-z0-9_-]{1,2000}", re.ASCII)
#: Steps between folders, and no names.
_STEPS = frozenset({".", ".."})


@dataclass(frozen=True, slots=True)
class Area:
    """Where values are: a client's, or one user's of it."""

    realm: str
    application: str
    #: the user, as paths name them; empty: the client's own area
    owner: str = ""


def require_key(key: str) -> str:
    """Let a key pass.

    :raises fyr.core.Invalid: it is none.
    """
    if not _KEY.fullmatch(key) or key in _STEPS:
        raise CODES["KEY_VALUE_STORE_KEY_NOT_VALID"].error()
    return key


def is_client(name: str) -> bool:
    """Whether a client or a realm can have this name."""
    return bool(_CLIENT.fullmatch(name)) and name not in _STEPS


def is_user(name: str) -> bool:
    """Whether a user's area can have this name."""
    return bool(_USER.fullmatch(name) or _CODED.fullmatch(name))


def name_of(principal: Principal) -> str:
    """Tell how paths name a user.

    By the id, where that can stand in a path; else by ``~`` and the id in base64url
    without padding: https://www.rfc-editor.org/rfc/rfc4648#section-5.
    """
    user = principal.user_id
    if _USER.fullmatch(user) and user != ME:
        return user
    return "~" + urlsafe_b64encode(user.encode()).decode().rstrip("=")
