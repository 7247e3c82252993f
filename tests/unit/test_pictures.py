"""Pictures that somebody has broken, or made to break something."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fyr.core.errors import Refused
from fyr.core.pictures import small_picture, stripped_picture

MOST = 100_000


def made(kind: str, mode: str = "RGB", frames: int = 1) -> bytes:
    out = BytesIO()
    pictures = [
        Image.linear_gradient("L").resize((60, 40)).convert(mode).rotate(90 * number)
        for number in range(frames)
    ]
    exif = Image.Exif()
    exif[0x010E] = "Skolegade 7"
    more = {"save_all": True, "append_images": pictures[1:]} if frames > 1 else {}
    pictures[0].save(out, kind, exif=exif, **more)
    return out.getvalue()


PICTURES = {
    "image/jpeg": [made("JPEG"), made("JPEG", "L"), made("JPEG", "CMYK")],
    "image/png": [
        made("PNG", mode) for mode in ("RGB", "RGBA", "LA", "P", "1", "I;16")
    ],
    "image/gif": [made("GIF"), made("GIF", frames=4)],
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


def test_frames_count_as_pixels() -> None:
    data = made("GIF", frames=4)
    assert stripped_picture(data, "image/gif", 60 * 40 * 4)

    with pytest.raises(Refused, match="in 4 frames"):
        stripped_picture(data, "image/gif", 60 * 40 * 4 - 1)


def test_a_picture_of_another_kind_is_not_opened() -> None:
    with pytest.raises(Refused, match="broken"):
        stripped_picture(made("PNG"), "image/gif", MOST)
