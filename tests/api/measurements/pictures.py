"""Content of Media in tests: pictures that tell more than they show."""

import base64
from io import BytesIO

from PIL import Image

from ..guide import EHEALTH

#: Tag of the description in Exif.
DESCRIPTION = 270


def picture(kind="JPEG", size=(600, 300), *, noise=False):
    """Make a picture that tells where it was taken."""
    plain = Image.new("RGB", size, "red")
    made = Image.effect_noise(size, 90).convert("RGB") if noise else plain
    exif = Image.Exif()
    exif[DESCRIPTION] = "at my home"
    out = BytesIO()
    made.save(out, kind, exif=exif, quality=95)
    return out.getvalue()


def content(data, kind="image/jpeg"):
    return {"contentType": kind, "data": base64.b64encode(data).decode()}


def got(world, media, **headers):
    """Ask for the content of a Media where it says that it is."""
    path = media["content"]["url"].removeprefix("http://localhost")
    return world.measurement.get(path, **headers)


def data_of(answer):
    assert answer.status == 200, answer.body
    return base64.b64decode(answer.json["data"])


def thumbnails(media):
    return [
        {
            part["url"]: next(v for k, v in part.items() if k != "url")
            for part in one["extension"]
        }
        for one in media.get("extension", ())
        if one["url"] == f"{EHEALTH}media-thumbnail"
    ]
