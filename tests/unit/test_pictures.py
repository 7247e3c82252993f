"""Pictures that somebody has broken, or made to break something."""

from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms
from PIL.PngImagePlugin import PngInfo

from fyr.core.errors import Refused
from fyr.core.pictures.writing import small_picture, stripped_picture

MOST = 100_000


def made(kind: str, mode: str = "RGB", frames: int = 1, **options: Any) -> bytes:
    out = BytesIO()
    pictures = [
        Image.linear_gradient("L").resize((60, 40)).convert(mode).rotate(90 * number)
        for number in range(frames)
    ]
    exif = Image.Exif()
    exif[0x010E] = "Skolegade 7"
    more = {"save_all": True, "append_images": pictures[1:]} if frames > 1 else options
    pictures[0].save(out, kind, exif=exif, **more)
    return out.getvalue()


PICTURES = {
    "image/jpeg": [made("JPEG"), made("JPEG", "L"), made("JPEG", "CMYK")],
    "image/png": [
        made("PNG", mode) for mode in ("RGB", "RGBA", "LA", "P", "1", "I;16")
    ],
    "image/gif": [made("GIF"), made("GIF", frames=4)],
    "image/webp": [
        *(made("WEBP", mode) for mode in ("RGB", "RGBA")),
        made("WEBP", lossless=True),
        made("WEBP", frames=3),
    ],
}
EVERY = [(kind, data) for kind, all_of in PICTURES.items() for data in all_of]


@pytest.mark.parametrize(("kind", "data"), EVERY)
def test_every_mode_of_a_picture_is_taken(kind: str, data: bytes) -> None:
    before, after = (
        Image.open(BytesIO(one)) for one in (data, stripped_picture(data, kind, MOST))
    )

    assert (after.size, after.format) == (before.size, before.format)
    assert getattr(after, "n_frames", 1) == getattr(before, "n_frames", 1)
    assert not after.getexif()
    assert max(Image.open(BytesIO(small_picture(data, kind, 20, MOST))).size) == 20


#: Said in each place that a format has for it.
SAID = b"Skolegade 7"


def telling(kind: str, orientation: int | None, frames: int = 1) -> bytes:
    """Make a picture, the left half of which is darker, that tells what it should not."""
    half = Image.new("RGB", (60, 40), (200, 200, 200))
    half.paste((20, 20, 20), (0, 0, 30, 40))
    exif = Image.Exif()
    exif[0x010E] = SAID.decode()
    if orientation:
        exif[0x0112] = orientation
    text = PngInfo()
    text.add_text("Author", SAID.decode())
    text.add_itxt("XML:com.adobe.xmp", SAID.decode())
    others = [half.rotate(180)] * (frames - 1)
    more = {"save_all": True, "append_images": others} if others else {}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if kind == "PNG":
        more["pnginfo"] = text
    else:
        more |= {"comment": SAID, "xmp": SAID}
    out = BytesIO()
    half.save(out, kind, exif=exif, icc_profile=profile, **more)
    assert out.getvalue().count(SAID) >= (2 if kind != "GIF" else 1)
    return out.getvalue()


@pytest.mark.parametrize("orientation", [None, 1, 6])
@pytest.mark.parametrize(
    ("kind", "frames"),
    [
        *((kind, frames) for kind in ("PNG", "GIF", "WEBP") for frames in (1, 2)),
        ("JPEG", 1),
        ("MPO", 2),
    ],
)
def test_nothing_that_a_picture_tells_is_left_but_its_colours(
    kind: str, frames: int, orientation: int | None
) -> None:
    content_type = f"image/{kind.lower()}".replace("mpo", "jpeg")
    written = stripped_picture(
        telling(kind, orientation, frames), content_type, 60 * 40 * frames
    )

    picture = Image.open(BytesIO(written))
    assert SAID not in written
    assert not picture.getexif()
    assert ("icc_profile" in picture.info) is (kind != "GIF")


@pytest.mark.parametrize(
    ("kind", "frames"), [("JPEG", 1), ("MPO", 2), ("PNG", 2), ("WEBP", 1)]
)
def test_a_picture_is_turned_as_its_readers_would(kind: str, frames: int) -> None:
    content_type = f"image/{kind.lower()}".replace("mpo", "jpeg")
    written = stripped_picture(telling(kind, 6, frames), content_type, MOST)

    picture = Image.open(BytesIO(written)).convert("L")
    wanted = Image.new("L", (40, 60), 200)
    wanted.paste(20, (0, 0, 40, 30))
    assert picture.size == (40, 60)
    difference = ImageChops.difference(picture, wanted).histogram()
    assert sum(difference[40:]) < 150


def test_of_a_photo_with_others_behind_it_the_first_one_stays() -> None:
    """Such as phones take: with a preview, or with the map of their brightness."""
    photo = telling("MPO", None, frames=2)
    assert Image.open(BytesIO(photo)).format == "MPO"

    written = stripped_picture(photo, "image/jpeg", 60 * 40)

    picture = Image.open(BytesIO(written))
    assert (picture.format, picture.size) == ("JPEG", (60, 40))


# Of broken metadata PIL warns and reads on; it is thrown away in any case.
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_broken_picture_is_refused_or_mended(data: st.DataObject) -> None:
    kind, whole = data.draw(st.sampled_from(EVERY))
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(
            st.integers(0, 255)
        )
    cut = bytes(broken[: data.draw(st.integers(1, len(broken)))])

    for work in (
        lambda: stripped_picture(cut, kind, MOST),
        lambda: small_picture(cut, kind, 20, MOST),
    ):
        try:
            assert work()
        except Refused:
            pass


@pytest.mark.parametrize(("kind", "data"), EVERY)
def test_what_was_written_anew_is_not_written_again(kind: str, data: bytes) -> None:
    written = stripped_picture(data, kind, MOST)

    assert stripped_picture(written, kind, MOST) is written
    with pytest.raises(Refused):
        stripped_picture(written, kind, 10)


@pytest.mark.parametrize("data", PICTURES["image/webp"])
def test_a_webp_is_not_packed_anew(data: bytes) -> None:
    written = stripped_picture(data, "image/webp", MOST)

    # Only EXIF, and the bit that says there is some, are gone.
    assert stripped_picture(written, "image/webp", MOST) == written
    for number in range(getattr(Image.open(BytesIO(data)), "n_frames", 1)):
        before, after = Image.open(BytesIO(data)), Image.open(BytesIO(written))
        before.seek(number)
        after.seek(number)
        assert before.convert("RGBA").tobytes() == after.convert("RGBA").tobytes()


def test_chunks_that_nobody_knows_leave_a_webp_and_its_frames() -> None:
    data = made("WEBP", frames=2)
    at = data.index(b"ANMF")
    size = int.from_bytes(data[at + 4 : at + 8], "little")
    told = b"told" + len(SAID).to_bytes(4, "little") + SAID + b"\0"
    frame = data[at + 8 : at + 8 + size] + told
    packed = b"ANMF" + len(frame).to_bytes(4, "little") + frame
    inside = data[12:at] + told + packed + data[at + 8 + size :]
    whole = b"RIFF" + (len(inside) + 4).to_bytes(4, "little") + b"WEBP" + inside + SAID
    assert whole.count(SAID) == 4

    written = stripped_picture(whole, "image/webp", MOST)

    assert SAID not in written
    assert Image.open(BytesIO(written)).n_frames == 2


def test_frames_count_as_pixels() -> None:
    data = made("GIF", frames=4)
    assert stripped_picture(data, "image/gif", 60 * 40 * 4)

    with pytest.raises(Refused, match="in 4 frames"):
        stripped_picture(data, "image/gif", 60 * 40 * 4 - 1)


def test_a_picture_of_another_kind_is_not_opened() -> None:
    with pytest.raises(Refused, match="broken"):
        stripped_picture(made("PNG"), "image/gif", MOST)
