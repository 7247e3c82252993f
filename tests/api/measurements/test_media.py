"""Content of Media: out of the resource, stripped, given again, made small."""

import base64
from io import BytesIO

import pytest
from PIL import Image

from ..guide import EHEALTH
from .pictures import content, data_of, got, picture, thumbnails


@pytest.fixture
def photo(world):
    return world.an_order("446080005", system="http://snomed.info/sct")


def run_jobs(world):
    world.built.worker().drain()


def test_content_leaves_the_resource_and_is_given_again(world, photo) -> None:
    (media,) = world.submitted(
        world.media(photo, content=content(b"hello", "text/plain"))
    )

    answer = got(world, media)

    assert set(media["content"]) == {"contentType", "url"}
    assert data_of(answer) == b"hello"
    assert answer.json["contentType"] == "text/plain"
    assert answer.json["securityContext"]["reference"].endswith(f"Media/{media['id']}")


def test_it_is_given_by_post_too(world, photo) -> None:
    (media,) = world.submitted(
        world.media(photo, content=content(b"hello", "text/plain"))
    )
    uuid = media["content"]["url"].partition("uuid=")[2]

    answer = world.measurement.post(
        "Media/$get-data",
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "uuid", "valueString": uuid}],
        },
    )

    assert data_of(answer) == b"hello"


@pytest.mark.parametrize(
    ("kind", "name"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")],
)
def test_a_picture_leaves_behind_where_it_was_taken(world, photo, kind, name) -> None:
    sent = picture(kind)
    (media,) = world.submitted(world.media(photo, content=content(sent, name)))

    kept = data_of(got(world, media))

    assert b"at my home" in sent
    assert b"at my home" not in kept
    assert Image.open(BytesIO(kept)).size == (600, 300)


def test_content_by_url_stays_as_it_is(world, photo) -> None:
    there = {"contentType": "image/jpeg", "url": "https://example.org/photo.jpg"}

    (media,) = world.submitted(world.media(photo, content=there))

    assert media["content"] == there
    assert thumbnails(media) == []


@pytest.mark.parametrize(
    "sent",
    [b"no picture", picture("PNG"), picture("JPEG")[:200]],
    ids=["text", "png", "part"],
)
def test_a_picture_that_is_none_is_refused_with_its_place(
    world, photo, refused, sent
) -> None:
    before = world.stored()

    ((text, place),) = refused(world.submit(world.media(photo, content=content(sent))))

    assert text == "The content breaks a rule: the picture is broken"
    assert place == "Bundle.entry[0].resource.content.data"
    assert world.stored() == before


def test_a_picture_that_is_sent_as_something_else_tells_nothing_either(
    world, photo
) -> None:
    sent = content(picture(), "application/octet-stream")
    (media,) = world.submitted(world.media(photo, content=sent))

    kept = data_of(got(world, media))

    assert b"at my home" not in kept
    assert Image.open(BytesIO(kept)).size == (600, 300)


def test_media_get_a_series_of_their_own(world, photo) -> None:
    def series(media):
        (found,) = [
            one["valueString"]
            for one in media["extension"]
            if one["url"] == f"{EHEALTH}media-series-id"
        ]
        return found

    first, second = world.submitted(world.media(photo), world.media(photo))
    (third,) = world.submitted(
        world.media(
            photo,
            extension=[{"url": f"{EHEALTH}media-series-id", "valueString": "mine"}],
        )
    )

    assert series(first) != series(second)
    assert series(third) == "mine"


def test_thumbnails_are_asked_for_and_made_after_the_commit(world, photo) -> None:
    (media,) = world.submitted(world.media(photo, content=content(picture())))
    asked = thumbnails(media)

    run_jobs(world)

    made = thumbnails(world.everything.get(f"Media/{media['id']}").json)
    assert [one["sizeCategory"]["code"] for one in asked] == ["100p", "240p", "460p"]
    assert {one["status"]["code"] for one in asked} == {"requested"}
    assert [(one["width"], one["height"]) for one in asked] == [
        (100, 50),
        (240, 120),
        (460, 230),
    ]
    assert {one["status"]["code"] for one in made} == {"ready"}
    for one in made:
        small = Image.open(BytesIO(base64.b64decode(one["content"]["data"])))
        assert small.size == (one["width"], one["height"])
        assert small.format == "JPEG"


def test_a_small_picture_has_one_thumbnail(world, photo) -> None:
    (media,) = world.submitted(
        world.media(photo, content=content(picture("PNG", (40, 20)), "image/png"))
    )

    (one,) = thumbnails(media)

    assert (one["width"], one["height"]) == (40, 20)


def test_a_thumbnail_is_given_by_a_header(world, photo) -> None:
    (media,) = world.submitted(world.media(photo, content=content(picture())))
    run_jobs(world)

    answer = got(world, media, ehealth_thumbnail_size="240p")

    assert Image.open(BytesIO(data_of(answer))).size == (240, 120)
    assert answer.json["contentType"] == "image/jpeg"


def test_of_what_is_no_picture_the_content_is_given(world, photo) -> None:
    (media,) = world.submitted(
        world.media(photo, content=content(b"hello", "text/plain"))
    )

    assert data_of(got(world, media, ehealth_thumbnail_size="100p")) == b"hello"


@pytest.mark.parametrize("size", ["1920p", "huge", ""])
def test_a_thumbnail_of_a_size_that_is_not_there_is_not_found(
    world, photo, size
) -> None:
    (media,) = world.submitted(world.media(photo, content=content(picture())))
    run_jobs(world)

    answer = got(world, media, ehealth_thumbnail_size=size)

    assert answer.status == 404
    assert answer.issues == [
        f"There is no thumbnail of size {size} of Media {media['id']}."
        " There is 100p, 240p, 460p."
    ]


def test_a_thumbnail_that_is_not_made_yet_is_not_found(world, photo) -> None:
    (media,) = world.submitted(world.media(photo, content=content(picture())))

    answer = got(world, media, ehealth_thumbnail_size="100p")

    assert answer.status == 404
    assert answer.issues == [
        f"There is no thumbnail of size 100p of Media {media['id']}. It is being made."
    ]


def test_a_thumbnail_that_could_not_be_made_is_not_supported(world, photo) -> None:
    (media,) = world.submitted(world.media(photo, content=content(picture())))
    stored = world.everything.get(f"Media/{media['id']}").json
    for one in stored["extension"]:
        if one["url"] == f"{EHEALTH}media-thumbnail":
            one["extension"][1]["valueCoding"]["code"] = "failed"
    assert world.everything.update(stored).status == 200

    answer = got(world, media, ehealth_thumbnail_size="100p")

    assert answer.status == 422
    assert answer.issues == [f"No thumbnail can be made of Media {media['id']}."]


@pytest.mark.parametrize(
    "uuid", ["29e14a6c-d673-46fa-82d5-329d6441a6d0", "nothing", "", "../../etc"]
)
def test_content_that_is_not_there_is_not_found(world, uuid) -> None:
    answer = world.measurement.post(
        "Media/$get-data",
        {
            "resourceType": "Parameters",
            "parameter": [{"name": "uuid", "valueString": uuid or " x"}],
        },
    )

    assert answer.status == 404
    assert "has no data" in answer.issues[0]


def test_the_content_of_another_resource_is_not_given(world) -> None:
    large = base64.b64encode(b"x" * 300_000).decode()
    binary = world.put("Binary", contentType="text/plain", data=large)
    (blob,) = world.built.database.rows(
        "SELECT id FROM blob WHERE subject = ?", (f"Binary/{binary['id']}",)
    )

    answer = world.measurement.get(f"Media/$get-data?uuid={blob[0]}")

    assert answer.status == 404
