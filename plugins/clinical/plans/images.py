"""Guard of the images in a Questionnaire: of a type that all show, and not too large.

http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-questionnaire-image: a reference
to what has the picture, in the Questionnaire or beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from fyr.core import refuses
from fyr.core.interactions.content import blob_id
from fyr.plugins.clinical.codes import CODES
from fyr.plugins.clinical.extensions import QUESTIONNAIRE_IMAGE, extensions, value_of

if TYPE_CHECKING:
    from fyr.core import FyrError, Issue, Transition

#: http://ehealth.sundhed.dk/vs/questionnaire-item-image-format
FORMATS: Final = frozenset({"image/png", "image/jpeg", "image/svg+xml"})
_VALUE_SET: Final = "http://ehealth.sundhed.dk/vs/questionnaire-item-image-format"
#: Characters of base64, in thousands.
LARGEST_KB: Final = 266


@refuses(
    "QUESTIONNAIRE_IMAGE_FORMAT_VALIDATION_MESSAGE",
    "QUESTIONNAIRE_IMAGE_SIZE_VALIDATION_MESSAGE",
)
def has_fitting_images(transition: Transition) -> Iterator[FyrError | Issue]:
    """Its images are PNG, JPEG or SVG, of 266 kB at most."""
    questionnaire = transition.resource
    for place, item in items(questionnaire):
        for where, extension in _images(item):
            reference = value_of(extension, "content") or {}
            found = resolved(transition, str(reference.get("reference", "")))
            for content_type, size in pictures(transition, found or {}):
                here = (f"{place}{where}.extension('{QUESTIONNAIRE_IMAGE}')",)
                about = f"{transition.reference}:", item.get("linkId", "")
                if content_type not in FORMATS:
                    code = CODES["QUESTIONNAIRE_IMAGE_FORMAT_VALIDATION_MESSAGE"]
                    yield code.error(
                        *about, content_type or "none", _VALUE_SET, expression=here
                    )
                if size > LARGEST_KB * 1000:
                    code = CODES["QUESTIONNAIRE_IMAGE_SIZE_VALIDATION_MESSAGE"]
                    yield code.error(*about, LARGEST_KB, expression=here)


def items(
    resource: Mapping[str, Any], path: str = "Questionnaire"
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Go through the items of a Questionnaire with their FHIRPath, nested ones too."""
    for number, item in enumerate(resource.get("item", ())):
        place = f"{path}.item[{number}]"
        yield place, item
        yield from items(item, place)


def _images(item: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the images of an item and of the answers that it offers."""
    for extension in extensions(item, QUESTIONNAIRE_IMAGE):
        yield "", extension
    for number, option in enumerate(item.get("answerOption", ())):
        for extension in extensions(option, QUESTIONNAIRE_IMAGE):
            yield f".answerOption[{number}]", extension


def resolved(transition: Transition, reference: str) -> Mapping[str, Any] | None:
    """Find what an image refers to; ``None``: it is not kept here."""
    if reference.startswith("#"):
        for one in transition.resource.get("contained", ()):
            if one.get("id") == reference[1:]:
                found: Mapping[str, Any] = one
                return found
        return None
    return transition.acting.vread(reference) if "://" not in reference else None


def pictures(
    transition: Transition, resource: Mapping[str, Any]
) -> Iterator[tuple[str, int]]:
    """Tell type and size of what a Binary, Media or DocumentReference holds.

    The size is in characters of base64.
    """
    content = resource.get("content", ())
    holders = [content] if isinstance(content, Mapping) else list(content)
    if resource.get("resourceType") == "Binary":
        holders = [resource]
    for one in holders:
        holder = one.get("attachment", one)
        yield str(holder.get("contentType", "")), _size(transition, holder)


def _size(transition: Transition, holder: dict[str, Any]) -> int:
    """Tell how many characters of base64 a picture has, wherever they are kept."""
    moved = blob_id(holder)
    blob = transition.interactions.blobs.find(moved) if moved else None
    return blob.size * 4 // 3 if blob is not None else len(holder.get("data", ""))
