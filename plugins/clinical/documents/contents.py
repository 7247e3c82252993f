"""Guards of what material holds: data, or a URL of content that is kept here or elsewhere.

What is kept here is in the DocumentReference itself (``data``), or at a URL of the storage
service, which the hook ``look_up_content`` tells of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from fyr.core import Issue, Transition, refuses
from fyr.core.interactions.content import blob_id
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.documents.kinds import OF_PATIENT
from fyr.plugins.clinical.documents.whose import (
    encounters_of,
    is_as_before,
    stays_of,
    subject_of,
)

if TYPE_CHECKING:
    from fyr.core import KeptContent
    from fyr.plugins.clinical.parts import Room

    #: Tells what is kept here behind a URL.
    Look: TypeAlias = Callable[[str], KeptContent | None]

Guard: TypeAlias = "Callable[[Transition], Iterator[Issue]]"

_ATTACHMENT: Final = "DocumentReference.content[0].attachment"
_CONTENT: Final = "DocumentReference.content"


@dataclass(frozen=True, slots=True)
class Held:
    """Where the content of material is: in its data, at a URL, or both, or nowhere."""

    url: str
    has_data: bool
    has_size: bool
    #: what is kept here behind the URL; ``None``: it is elsewhere
    kept: KeptContent | None

    @property
    def elsewhere(self) -> bool:
        """Whether the URL leads elsewhere."""
        return bool(self.url) and self.kept is None


def guards(room: Room) -> tuple[Guard, ...]:
    """Make the guards, which ask what the server keeps."""

    @refuses("DOCUMENT_REFERENCE_CONTENT_MANDATORY")
    def has_one_content(transition: Transition) -> Iterator[Issue]:
        """Material has one content."""
        contents = transition.resource.get("content", ())
        if _is_judged(transition) and len(contents) != 1:
            code = CODES["DOCUMENT_REFERENCE_CONTENT_MANDATORY"]
            yield code.issue(expression=(_CONTENT,))

    @refuses(
        "DOCUMENT_REFERENCE_INVALID_CONTENT_ON_CREATE",
        "DOCUMENTREFERENCE_INVALID_CITIZEN_SPECIFIC_DATA",
        "DOCUMENT_REFERENCE_INVALID_CONTENT_ORIGIN_UPDATE",
        "DOCUMENT_REFERENCE_INVALID_CONTENT_DATA_EXTERNAL_ORIGIN",
        "DOCUMENT_REFERENCE_INVALID_CONTENT_ON_UPDATE",
        "DOCUMENT_REFERENCE_MISSING_URL",
        "DOCUMENTREFERENCE_URL_CHANGED",
    )
    def brings_its_content(transition: Transition) -> Iterator[Issue]:
        """New material brings data or a URL; what is kept here stays here."""
        if not _is_judged(transition) or is_as_before(transition, "content"):
            return
        look = _looking(room, transition)
        new = held(transition.resource, look)
        old = held(transition.old, look) if transition.old is not None else None
        if old is None or not (old.url or old.has_data):
            yield from _of_new(new, for_one=stays_of(transition) == OF_PATIENT)
        else:
            yield from _of_changed(old, new)

    @refuses(
        "DOCUMENT_REFERENCE_SIZE_MUST_BE_PROVIDED_FOR_URL",
        "DOCUMENTREFERENCE_EXTERNAL_URL_NOT_ALLOWED",
        "DOCUMENTREFERENCE_INTERNAL_URL_NO_CONTENT",
        "DOCUMENTREFERENCE_INTERNAL_URL_REGISTRATION_MUST_MATCH_CONTENT",
    )
    def leads_to_its_content(transition: Transition) -> Iterator[Issue]:
        """A URL comes with the size of what is there, and that is of the same citizen."""
        about = ("content", "category", "subject", "context")
        if _is_judged(transition) and not is_as_before(transition, *about):
            new = transition.resource
            for_one = stays_of(transition) == OF_PATIENT
            yield from _of_url(new, held(new, _looking(room, transition)), for_one)

    return has_one_content, brings_its_content, leads_to_its_content


def held(document: Mapping[str, Any], look: Look) -> Held:
    """Tell where the first content of a document is."""
    contents: Sequence[Mapping[str, Any]] = document.get("content", [])
    first = contents[0].get("attachment", {}) if contents else {}
    url = str(first.get("url", ""))
    has_data = "data" in first or blob_id(first) is not None
    return Held(url, has_data, "size" in first, look(url) if url else None)


def _is_judged(transition: Transition) -> bool:
    return stays_of(transition) != ""


def _looking(room: Room, transition: Transition) -> Look:
    ask = room.application.hooks.look_up_content

    def look(url: str) -> KeptContent | None:
        return ask(context=transition.context, url=url) if ask else None

    return look


def _of_new(new: Held, *, for_one: bool) -> Iterator[Issue]:
    if bool(new.url) != new.has_data:
        return
    code = CODES["DOCUMENT_REFERENCE_INVALID_CONTENT_ON_CREATE"]
    if for_one:
        code = CODES["DOCUMENTREFERENCE_INVALID_CITIZEN_SPECIFIC_DATA"]
    yield code.issue(expression=(_ATTACHMENT,))


def _of_changed(old: Held, new: Held) -> Iterator[Issue]:
    if old.elsewhere and new.elsewhere and new.has_data:
        code = CODES["DOCUMENT_REFERENCE_INVALID_CONTENT_DATA_EXTERNAL_ORIGIN"]
        yield code.issue(expression=(f"{_ATTACHMENT}.data",))
    elif new.url and old.elsewhere != new.elsewhere:
        code = CODES["DOCUMENT_REFERENCE_INVALID_CONTENT_ORIGIN_UPDATE"]
        yield code.issue(expression=(f"{_ATTACHMENT}.url",))
    elif new.has_data and (old.elsewhere or new.url):
        # Bytes behind a URL are replaced where they are kept, so data does not go there.
        code = CODES["DOCUMENT_REFERENCE_INVALID_CONTENT_ON_UPDATE"]
        yield code.issue(expression=(f"{_ATTACHMENT}.data",))
    elif not new.url and not new.has_data:
        code = CODES["DOCUMENT_REFERENCE_MISSING_URL"]
        yield code.issue(expression=(_ATTACHMENT,))
    elif new.url and old.url and new.url != old.url and not new.elsewhere:
        code = CODES["DOCUMENTREFERENCE_URL_CHANGED"]
        place = f"{_ATTACHMENT}.url"
        yield code.issue(old.url, new.url[:500], expression=(place,))


def _of_url(document: Mapping[str, Any], new: Held, for_one: bool) -> Iterator[Issue]:
    if not new.url:
        return
    place, url = (f"{_ATTACHMENT}.url",), new.url[:500]
    if not new.has_size:
        code = CODES["DOCUMENT_REFERENCE_SIZE_MUST_BE_PROVIDED_FOR_URL"]
        yield code.issue(expression=(_ATTACHMENT,))
    if new.kept is None:
        if for_one:
            code = CODES["DOCUMENTREFERENCE_EXTERNAL_URL_NOT_ALLOWED"]
            yield code.issue(expression=place)
        return
    if not new.kept.there:
        code = CODES["DOCUMENTREFERENCE_INTERNAL_URL_NO_CONTENT"]
        yield code.issue(url, expression=place)
        return
    wanted = (subject_of(document), *encounters_of(document)) if for_one else ("", "")
    if wanted != (new.kept.patient, new.kept.episode):
        name = "DOCUMENTREFERENCE_INTERNAL_URL_REGISTRATION_MUST_MATCH_CONTENT"
        yield CODES[name].issue(url, expression=place)
