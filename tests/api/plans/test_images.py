"""Images in a Questionnaire: of a type that all show, and not too large."""

from __future__ import annotations

import pytest

from ..guide import ext, to
from .conftest import definition, told

FORMAT = "QUESTIONNAIRE_IMAGE_FORMAT_VALIDATION_MESSAGE"
SIZE = "QUESTIONNAIRE_IMAGE_SIZE_VALIDATION_MESSAGE"


def with_image(content_type, data, holder="Binary"):
    """Make a questionnaire with a picture in it, at a question and at an answer."""
    picture = {"resourceType": "Binary", "id": "p", "contentType": content_type}
    picture["data"] = data
    if holder == "Media":
        content = {"contentType": content_type, "data": data}
        picture = {"resourceType": "Media", "id": "p", "status": "completed"}
        picture |= {"content": content}
    image = ext("questionnaire-image", extension=[{"url": "content"} | reference("#p")])
    inner = {"linkId": "1.1", "type": "choice", "extension": [image]}
    item = {"linkId": "1", "type": "group", "item": [inner]}
    return definition("Questionnaire", contained=[picture], item=[item])


def reference(text):
    return {"valueReference": to(text)}


@pytest.mark.parametrize("content_type", ["image/png", "image/jpeg", "image/svg+xml"])
def test_pictures_that_all_show_are_taken(guarded, content_type) -> None:
    guarded.made(with_image(content_type, "AAAA" * 1000))


@pytest.mark.parametrize("holder", ["Binary", "Media"])
def test_pictures_of_other_types_are_refused(guarded, holder) -> None:
    answer = guarded.create(with_image("image/tiff", "AAAA", holder))

    assert (answer.status, told(answer)) == (422, [FORMAT])
    assert "1.1" in answer.issues[0]
    (place,) = answer.json["issue"][0]["expression"]
    assert place.startswith("Questionnaire.item[0].item[0].extension(")


@pytest.mark.parametrize("holder", ["Binary", "Media"])
def test_pictures_that_are_too_large_are_refused(guarded, holder) -> None:
    guarded.made(with_image("image/png", "AAAA" * 66_500, holder))

    for more in (66_501, 200_000):
        answer = guarded.create(with_image("image/png", "AAAA" * more, holder))
        assert (answer.status, told(answer)) == (422, [SIZE])


def test_type_and_size_are_told_together(guarded) -> None:
    answer = guarded.create(with_image("image/tiff", "AAAA" * 66_501))

    assert sorted(told(answer)) == [FORMAT, SIZE]


def test_the_picture_of_an_answer_is_looked_at_too(guarded) -> None:
    made = with_image("image/tiff", "AAAA")
    inner = made["item"][0]["item"][0]
    image = inner.pop("extension")
    inner["answerOption"] = [{"valueString": "yes", "extension": image}]

    answer = guarded.create(made)

    assert told(answer) == [FORMAT]
