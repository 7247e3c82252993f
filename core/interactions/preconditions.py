"""What a write depends on: https://hl7.org/fhir/R4/http.html#concurrency."""

import re
from collections.abc import Sequence

from fyr.config.settings import Settings
from fyr.core.errors import Conflict, Invalid, PreconditionFailed, VersionConflict
from fyr.core.store.port import Stored

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def tags(name: str, text: str) -> tuple[str, ...]:
    """Tell the version ids of a list of ETags; ``("*",)`` for any version.

    :param name: where it was sent, for the message.
    :raises Invalid: it is not a list of ETags.
    """
    if text.strip() == "*":
        return ("*",)
    parts = [part.strip() for part in text.split(",")]
    found = [match[1] for part in parts if (match := _TAG.fullmatch(part))]
    if len(found) != len(parts):
        raise Invalid(f'{name} is to hold ETags such as W/"3", not {text[:100]!r}')
    return tuple(found)


def check(
    settings: Settings,
    if_match: Sequence[str] | None,
    if_none_match: Sequence[str] | None,
    head: Stored | None,
) -> None:
    """Let a write pass that names the current version, or none.

    :param head: the newest version, of a deleted resource too.
    :raises VersionConflict: the client has read another version.
    :raises Conflict: the same, where ``fhir.stale_version_status`` is 409.
    :raises PreconditionFailed: the resource is there, or not there, against the terms.
    """
    current = head if head is not None and not head.deleted else None
    if if_match is not None:
        _must_match(settings, if_match, current)
    if if_none_match is not None and current is not None:
        if "*" in if_none_match or str(current.version) in if_none_match:
            raise PreconditionFailed(
                f"{current.type}/{current.id} is there, in version {current.version}"
            )


def _must_match(
    settings: Settings, tags: Sequence[str], current: Stored | None
) -> None:
    if current is None:
        raise PreconditionFailed("If-Match: there is no current version")
    if "*" in tags or str(current.version) in tags:
        return
    name = f"{current.type}/{current.id}"
    text = f"{name} is at version {current.version}, and not {' or '.join(tags)[:100]}"
    if settings.fhir.stale_version_status == 409:
        raise Conflict(text)
    raise VersionConflict(text)
