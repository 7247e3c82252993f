"""New content of an overlay goes the way of what is submitted."""

import base64
from io import BytesIO

import pytest
from PIL import Image

from ..guide import PATCH
from .pictures import content, data_of, got, picture, thumbnails

TEXT = "text/plain"
#: More than stays in a resource.
LARGE = b"large" * 60_000


@pytest.fixture
def overlay(world):
    """Submit an overlay with some content."""

    def submitted(**elements):
        order = world.an_order("446080005", system="http://snomed.info/sct")
        media = world.media(order, **elements)
        for one in media["extension"]:
            if one["url"].endswith("media-usage-mode"):
                one["valueCode"] = "overlay"
        (made,) = world.submitted(media)
        return made

    return submitted


def put(world, media, new):
    return world.measurement.update({**media, "content": new})


def patched(world, media, new):
    change = {"op": "replace", "path": "/content", "value": new}
    return world.measurement.patch(f"Media/{media['id']}", [change], PATCH)


@pytest.fixture(params=[put, patched], ids=["put", "patch"])
def replaced(request, world):
    return lambda media, new: request.param(world, media, new)


@pytest.mark.parametrize("data", [b"new", LARGE], ids=["small", "large"])
def test_new_content_leaves_the_resource_and_is_given_again(
    world, overlay, replaced, data
) -> None:
    media = overlay()

    answer = replaced(media, {**content(data, TEXT), "title": "second"})

    assert answer.status == 200, answer.body
    assert set(answer.json["content"]) == {"contentType", "title", "url"}
    assert answer.json["content"]["url"] != media["content"]["url"]
    assert data_of(got(world, answer.json)) == data
    stored = world.built.resources.read("Media", media["id"])
    assert len(stored.body) < 3000


@pytest.mark.parametrize("noise", [False, True], ids=["small", "large"])
def test_a_new_picture_leaves_behind_where_it_was_taken(
    world, overlay, replaced, noise
) -> None:
    sent = picture(size=(900, 900) if noise else (300, 150), noise=noise)

    answer = replaced(overlay(), content(sent))

    kept = data_of(got(world, answer.json))
    assert b"at my home" in sent
    assert b"at my home" not in kept
    assert Image.open(BytesIO(kept)).size == Image.open(BytesIO(sent)).size


def test_thumbnails_are_those_of_the_new_picture(world, overlay, replaced) -> None:
    media = overlay(content=content(picture(size=(200, 100))))

    # The job of the first picture comes when there is another one already.
    answer = replaced(media, content(picture(size=(100, 200))))
    asked = thumbnails(answer.json)
    world.built.worker().drain()

    made = thumbnails(world.everything.get(f"Media/{media['id']}").json)
    assert [one["status"]["code"] for one in asked] == ["requested"]
    assert [one["status"]["code"] for one in made] == ["ready"]
    (one,) = made
    small = Image.open(BytesIO(base64.b64decode(one["content"]["data"])))
    assert small.size == (50, 100)


@pytest.mark.parametrize(
    "new",
    [
        content(b"words", TEXT),
        {"contentType": "image/jpeg", "url": "https://example.org/other.jpg"},
    ],
    ids=["text", "url"],
)
def test_thumbnails_of_an_old_picture_go_with_it(world, overlay, replaced, new) -> None:
    media = overlay(content=content(picture(size=(300, 150))))
    world.built.worker().drain()
    media = world.everything.get(f"Media/{media['id']}").json

    answer = replaced(media, new)

    assert thumbnails(media)
    assert answer.status == 200, answer.body
    assert thumbnails(answer.json) == []


def test_thumbnails_stay_while_the_picture_does(world, overlay, replaced) -> None:
    media = overlay(content=content(picture(size=(300, 150))))
    world.built.worker().drain()
    media = world.everything.get(f"Media/{media['id']}").json

    answer = replaced(media, {**media["content"], "title": "wound"})

    assert answer.status == 200, answer.body
    assert answer.json["content"] == {**media["content"], "title": "wound"}
    assert thumbnails(answer.json) == thumbnails(media)


def test_versions_before_lead_to_the_content_that_they_had(
    world, overlay, replaced
) -> None:
    media = overlay(content=content(b"first", TEXT))

    replaced(media, content(b"second", TEXT))

    before = world.measurement.get(f"Media/{media['id']}/_history/1").json
    assert data_of(got(world, before)) == b"first"


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (content(b"no picture"), "the picture is broken"),
        (content(LARGE), "the picture is broken"),
    ],
    ids=["small", "large"],
)
def test_content_that_is_not_what_it_says_is_refused_with_its_place(
    world, overlay, replaced, sent, told
) -> None:
    media = overlay()

    answer = replaced(media, sent)

    assert answer.status == 422
    assert answer.issues == [told]
    assert answer.json["issue"][0]["expression"] == ["Media.content.data"]
    assert world.everything.get(f"Media/{media['id']}").json == media
    states = world.built.database.rows("SELECT state FROM blob WHERE subject <> ''")
    assert states == [("kept",)]


def test_the_content_of_another_media_is_not_taken(world, overlay, replaced) -> None:
    media = overlay()
    theirs = world.put("Media", status="completed", content=content(LARGE, TEXT))

    answer = replaced(media, theirs["content"])

    assert "_data" in theirs["content"]
    assert answer.status == 409
    assert world.everything.get(f"Media/{media['id']}").json == media


def test_content_of_what_is_no_overlay_is_not_replaced(world, replaced) -> None:
    order = world.an_order("446080005", system="http://snomed.info/sct")
    (media,) = world.submitted(world.media(order))

    answer = replaced(media, content(picture(size=(300, 150))))

    assert answer.status == 422
    (told,) = answer.issues
    assert told.endswith("content of a Media that was submitted cannot be changed.")
